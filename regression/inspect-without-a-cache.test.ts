/** `train` and `estimate` warned of a cache that cannot be written; `inspect`, which keeps prepared data in it as well, said nothing. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';

test('inspect says that the cache cannot be written, and reports all the same', async () => {
  const folder = temporaryFolder();
  const model = writeTinyModel(join(folder, 'model'));
  const row = { messages: ['user', 'assistant'].map((role) => ({ role, content: 'a' })) };
  writeFileSync(join(folder, 'rows.jsonl'), `${JSON.stringify(row)}\n`);
  const cache = join(folder, 'cache');
  writeFileSync(cache, 'no folder');
  const anneal = annealIn(folder, { ANNEAL_CACHE: cache });
  const said = await anneal('inspect', 'rows.jsonl', '--model', model);
  expect(said).toMatchObject({ code: 0, stdout: expect.stringContaining('1 kept') });
  expect(said.stdout).toMatch(/warning[\s\S]*prepared data could not be kept for the next time/);
  const { stdout } = await anneal('inspect', 'rows.jsonl', '--model', model, '--json');
  expect(JSON.parse(stdout).report.warnings).toMatchObject([{ code: 'cache_not_writable', where: expect.any(String) }]);
});
