/** A run that was asked to stop went on preparing its data to the end, which takes minutes where there are many. */
import { expect, test } from 'vitest';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { temporaryFolder, writeCapitalsTask } from '../packages/core/test/fixtures.ts';
import { continueHere, createRun, eventsOf, tinyRecipe, trainHere, weightsHash } from '../packages/core/test/runs.ts';

test('a stop ends the preparation, and the run begins when it is resumed', async () => {
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, {
    max_steps: 2,
    datasets: [{ path: writeCapitalsTask(folder, 2000, 'many.jsonl') }],
  });
  const undisturbed = await trainHere(recipe);

  const run = await createRun(recipe);
  const stopped = await continueHere(run, { signal: { stopRequested: true, saveRequested: false } });
  await run.close();
  expect(stopped.events.map(({ type }) => type)).toEqual(['run_created', 'stopped']);

  await using again = await RunDirectory.open(run.path);
  const finished = await continueHere(again);
  expect(eventsOf(finished, 'finished')).toHaveLength(1);
  expect(weightsHash(finished, 2)).toBe(weightsHash(undisturbed, 2));
});
