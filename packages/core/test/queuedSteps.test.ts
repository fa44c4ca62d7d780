import { cpuDevice } from '@anneal/kernels';
import { expect, test } from 'vitest';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { temporaryFolder } from './fixtures.ts';
import { continueHere, createRun, eventsOf, type FinishedRun, tinyRecipe, trainHere, weightsHash } from './runs.ts';

const queued = { device: { ...cpuDevice({ threads: 2 }), queuesSteps: true } };

/** What a run records, without what its speed changes: a checkpoint holds the time that was spent, so its hash does, too. */
function withoutTimes({ events }: FinishedRun) {
  const varying = ['id', 'milliseconds', 'tokensPerSecond', 'memory', 'peakMemory', 'time', 'sha256'];
  return events.map((event) => Object.fromEntries(Object.entries(event).filter(([key]) => !varying.includes(key))));
}

test('a run whose steps are queued records the same, and has the same bits in every checkpoint', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { save_steps: 5, val_set_size: 4, eval_steps: 3, lora_dropout: 0.1 });
  const plain = await trainHere(recipe);
  const ahead = await trainHere(recipe, { changes: queued });
  expect(withoutTimes(ahead)).toEqual(withoutTimes(plain));
  expect(ahead.steps).toEqual(plain.steps);
  for (const step of plain.steps) {
    expect(weightsHash(ahead, step)).toBe(weightsHash(plain, step));
    expect(weightsHash(ahead, step, 'optimizer.safetensors')).toBe(weightsHash(plain, step, 'optimizer.safetensors'));
  }
});

test('a stop ends with the step that is queued, and the run goes on with the same bits', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { saves_per_epoch: 0 });
  const undisturbed = await trainHere(recipe);
  const run = await createRun(recipe);
  const signal = {
    get stopRequested() {
      return run.status.step >= 5;
    },
    saveRequested: false,
  };
  const stopped = await continueHere(run, { signal, changes: queued });
  await run.close();
  expect(stopped.steps).toEqual([6]);
  expect(stopped.events.at(-1)).toMatchObject({ type: 'stopped', step: 6 });
  await using again = await RunDirectory.open(run.path);
  const finished = await continueHere(again, { changes: queued });
  expect(eventsOf(finished, 'resumed')).toMatchObject([{ fromStep: 6 }]);
  expect(weightsHash(finished, 12)).toBe(weightsHash(undisturbed, 12));
});

/** Step 4 spoils the weights: the loss of step 5 shows it, while step 6 runs. */
const scheduleFor = () => spoilingRate;
const spoilingRate = (done: number) => (done === 3 ? 1e30 : 0.01);

test('a loss that is not finite ends the run although the next step is queued; the last checkpoint is from before', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { save_steps: 3 });
  await using run = await createRun(recipe);
  await expect(continueHere(run, { changes: { ...queued, scheduleFor } })).rejects.toMatchObject({
    code: 'loss_not_finite',
    message: expect.stringContaining('at step 5'),
  });
  expect((await run.checkpoints()).map(({ step }) => step)).toEqual([3]);
});
