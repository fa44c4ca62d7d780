// Rows that cannot be trained ended `estimate` and `train --dry-run` with 2 (bad input) and `train` with 1 (the run failed).
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodeOfLaunch, exitCodes } from '../apps/agent/src/exitCodes.ts';
import { annealIn, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

test('what is refused before a run trains has the exit code of the verbs that only look', async () => {
  const folder = temporaryFolder();
  await annealIn(folder)('init', '.');
  writeFileSync(join(folder, 'questions.jsonl'), '{"messages":[{"role":"user","content":"a"}]}\n');
  const set = ['--set', 'datasets.0.path=questions.jsonl', '--set', 'val_set_size=0'];
  for (const verb of [['estimate'], ['train', '--dry-run'], ['train']]) {
    const { code, stderr } = await annealIn(folder)(...verb, 'recipe.yaml', ...set);
    expect({ verb, code, stderr }).toMatchObject({
      code: exitCodes.badInput,
      stderr: expect.stringContaining('error: nothing would be trained: none of 1 rows is left (1 nothing_supervised)'),
    });
  }
});

test.each([
  ['nothing_supervised', false, exitCodes.badInput],
  ['nothing_supervised', true, exitCodes.failed],
  ['worker_crashed', false, exitCodes.failed],
  ['disk_full', false, exitCodes.failed],
  ['internal_error', true, exitCodes.defect],
])('a launch that failed with %s, having started: %s, ends with %i', (code, hasStarted, expected) => {
  expect(exitCodeOfLaunch({ code }, hasStarted)).toBe(expected);
});
