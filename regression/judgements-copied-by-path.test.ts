/** `anneal reproduce` copied judgements.jsonl by its path, after a look: a link put there meanwhile was followed, and no size was too large. */
import { existsSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyJudgements } from '../packages/core/src/trainer/judgements.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const judgements = (folder: string) => join(folder, 'judgements.jsonl');

test('judgements are copied from a regular file of a possible size', async () => {
  const [from, to] = [temporaryFolder(), temporaryFolder()];
  await copyJudgements(from, to);
  expect(existsSync(judgements(to))).toBe(false);
  // More than is read at a time, and not a multiple of it.
  const text = '{"seq": 1}\n'.repeat(200_000);
  writeFileSync(judgements(from), text);
  await copyJudgements(from, to);
  expect(readFileSync(judgements(to), 'utf8')).toBe(text);
  const large = temporaryFolder();
  writeFileSync(judgements(large), '');
  truncateSync(judgements(large), 2 ** 32 + 1);
  const third = temporaryFolder();
  await expect(copyJudgements(large, third)).rejects.toMatchObject({ code: 'run_file_damaged' });
  expect(existsSync(judgements(third))).toBe(false);
});

test.skipIf(process.platform === 'win32')('no link is followed', async () => {
  const [from, to] = [temporaryFolder(), temporaryFolder()];
  writeFileSync(join(from, 'other'), 'secret');
  symlinkSync('other', judgements(from));
  await expect(copyJudgements(from, to)).rejects.toMatchObject({ code: 'run_not_readable' });
  expect(existsSync(judgements(to))).toBe(false);
});
