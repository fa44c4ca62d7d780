/** A validation loss that was no number counted as the best forever, and a checkpoint of the broken weights was saved with it. */
import { expect, test } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { continueHere, createRun, eventsOf, tinyRecipe } from '../packages/core/test/runs.ts';

test('a validation loss that is not finite ends the run before a checkpoint is made of it', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { val_set_size: 4, eval_steps: 3, save_steps: 3, max_steps: 12 });
  await using run = await createRun(recipe);
  const changes = { scheduleFor: () => (step: number) => (step === 5 ? 1e38 : 0.001) };
  await expect(continueHere(run, { changes })).rejects.toMatchObject({
    code: 'loss_not_finite',
    what: expect.stringContaining('after step 6 the validation loss is'),
  });
  expect(eventsOf(run, 'evaluated').map(({ step, loss }) => [step, loss === null])).toEqual([
    [3, false],
    [6, true],
  ]);
  expect((await run.checkpoints()).map(({ step }) => step)).toEqual([3]);
});
