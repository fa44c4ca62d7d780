/** A run of epochs that an older version began with as many warm-up steps as it has could not be resumed: it was refused as if it began. */
import { expect, test } from 'vitest';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { continueHere, createRun, eventsOf, lossesOf, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const older = { refuseSchedule: () => undefined };

test('it ends as it would have without a stop', async () => {
  const recipe = tinyRecipe(temporaryFolder(), {
    max_steps: undefined,
    num_epochs: 1,
    warmup_steps: 6,
    saves_per_epoch: 0,
  });
  const undisturbed = await trainHere(recipe, { changes: older });
  expect(undisturbed.steps).toEqual([6]);

  const run = await createRun(recipe);
  const signal = { stopRequested: false, saveRequested: false };
  Object.defineProperty(signal, 'stopRequested', { get: () => (run.status.step ?? 0) >= 2 });
  await continueHere(run, { changes: older, signal });
  await run.close();
  await using again = await RunDirectory.open(run.path);
  const finished = await continueHere(again);
  expect(eventsOf(finished, 'resumed')).toMatchObject([{ fromStep: 2 }]);
  expect(lossesOf(finished)).toEqual(lossesOf(undisturbed));
});

test('one that begins is refused', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { max_steps: undefined, num_epochs: 1, warmup_steps: 6 });
  await expect(trainHere(recipe)).rejects.toMatchObject({ code: 'schedule_too_long' });
});
