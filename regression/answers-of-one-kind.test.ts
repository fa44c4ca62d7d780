// KTO with good answers alone, or bad ones alone, trained without a word: what it learns is the difference between both.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

async function warnings(labels: readonly boolean[]): Promise<unknown[]> {
  const folder = temporaryFolder();
  const path = join(folder, 'judged.jsonl');
  const rows = labels.map((label, i) => ({ prompt: `What is ${i}?`, completion: `It is ${i}.`, label }));
  writeFileSync(path, rows.map((row) => JSON.stringify(row)).join('\n'));
  const run = await trainHere(tinyRecipe(folder, { rl: 'kto', datasets: [{ path }], max_steps: 1 }));
  return eventsOf(run, 'warning').filter(({ code }) => code === 'answers_of_one_kind');
}

test('is said', async () => {
  expect(await warnings([true, true])).toMatchObject([{ message: expect.stringContaining('a good one') }]);
  expect(await warnings([false, false])).toMatchObject([{ message: expect.stringContaining('a bad one') }]);
  expect(await warnings([true, false])).toEqual([]);
});
