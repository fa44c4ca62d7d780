import { expect, test, vi } from 'vitest';
import { RunDirectory } from '../src/trainer/runDirectory.ts';
import { TrainingEngine } from '../src/trainer/trainingEngine.ts';
import { temporaryFolder } from './fixtures.ts';
import { continueHere, createRun, eventsOf, tinyRecipe, trainHere, weightsHash } from './runs.ts';

test('a GPU that fails ends the run, which goes on from its last checkpoint with the same bits', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { save_steps: 3 });
  const undisturbed = await trainHere(recipe);
  const { step } = TrainingEngine.prototype;
  const failing = vi.spyOn(TrainingEngine.prototype, 'step').mockImplementation(function (
    this: TrainingEngine,
    ...given
  ) {
    const failure = new Error('attention_backward: an illegal memory access was encountered (cudaErrorIllegalAddress)');
    return given[1].step === 5 ? Promise.reject(failure) : step.apply(this, given);
  });
  const run = await createRun(recipe);
  await expect(continueHere(run)).rejects.toMatchObject({
    code: 'gpu_failed',
    what: expect.stringContaining('attention_backward'),
    where: run.path,
  });
  failing.mockRestore();
  await run.close();
  await using again = await RunDirectory.open(run.path);
  const finished = await continueHere(again);
  expect(eventsOf(finished, 'resumed')).toMatchObject([{ fromStep: 3 }]);
  expect(weightsHash(finished, 12)).toBe(weightsHash(undisturbed, 12));
});
