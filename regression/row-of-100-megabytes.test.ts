/** A file without line ends is one row: one of 100 MB took 4.6 GB before anything was said. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MAX_ROW, openSource } from '../packages/core/src/datasets/read.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test('is refused with its place before it is read', async () => {
  const path = join(temporaryFolder(), 'rows.jsonl');
  writeFileSync(path, `{"text":"a"}\n{"text":"${'a'.repeat(MAX_ROW)}"}\n`);
  await expect(openSource(path)).rejects.toMatchObject({ code: 'row_too_large', where: `${path}:2` });
  writeFileSync(path, `{"text":"a"}\n{"text":"${'a'.repeat(MAX_ROW - 20)}"}\n`);
  const source = await openSource(path);
  expect(source.rowCount).toBe(2);
  await source.close();
});
