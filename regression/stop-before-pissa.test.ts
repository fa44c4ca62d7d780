/** A run that was asked to stop went on decomposing the weights that PiSSA begins as, which of a large model takes minutes. */
import { expect, test } from 'vitest';
import { resolveRecipe } from '../packages/core/src/recipe/resolve.ts';
import { createJob } from '../packages/core/src/trainer/job.ts';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { train } from '../packages/core/src/trainer/train.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { continueHere, createRun, eventsOf, tinyRecipe, trainHere, weightsHash } from '../packages/core/test/runs.ts';

test('a stop ends it, and the run begins when it is resumed', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { max_steps: 2, peft_init_lora_weights: 'pissa' });
  const undisturbed = await trainHere(recipe);
  const [first, ...others] = eventsOf(undisturbed, 'initializing');
  expect(first).toMatchObject({ linears: 0, of: expect.any(Number) });
  expect(others.length).toBeGreaterThan(0);
  expect(others.length).toBeLessThan(11);

  const run = await createRun(recipe);
  const signal = { stopRequested: false, saveRequested: false };
  const job = createJob(resolveRecipe(recipe, { baseDirectory: run.path }));
  await train(job, run, signal, { onAccepted: () => void (signal.stopRequested = true) });
  await run.close();
  expect(run.status.state).toBe('stopped');
  expect(await run.checkpoints()).toEqual([]);

  await using again = await RunDirectory.open(run.path);
  const finished = await continueHere(again);
  expect(eventsOf(finished, 'finished')).toHaveLength(1);
  expect(weightsHash(finished, 2)).toBe(weightsHash(undisturbed, 2));
});
