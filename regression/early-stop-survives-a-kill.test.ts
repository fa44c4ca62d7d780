/** A run killed between its last checkpoint and the word that it had stopped early trained on when it was resumed. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { continueHere, eventsOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

test('a run that had stopped early does not go on when resumed', async () => {
  const recipe = tinyRecipe(temporaryFolder(), {
    val_set_size: 4,
    eval_steps: 2,
    early_stopping_patience: 3,
    learning_rate: 0.5,
    lr_scheduler: 'constant',
    max_steps: 40,
  });
  const first = await trainHere(recipe);
  const [stopped] = eventsOf(first, 'early_stopped');
  expect(stopped?.step).toBeLessThan(40);

  const log = join(first.path, 'events.jsonl');
  const lines = readFileSync(log, 'utf8').split('\n');
  const end = lines.findIndex((line) => line.includes('"early_stopped"'));
  writeFileSync(log, `${lines.slice(0, end).join('\n')}\n`);

  await using run = await RunDirectory.open(first.path);
  const resumed = await continueHere(run);
  const { step, bestStep, bestLoss } = stopped ?? {};
  expect(eventsOf(resumed, 'early_stopped')).toMatchObject([{ step, bestStep, bestLoss }]);
  expect(eventsOf(resumed, 'finished')).toMatchObject([{ step }]);
  expect(resumed.steps).toEqual(first.steps);
});
