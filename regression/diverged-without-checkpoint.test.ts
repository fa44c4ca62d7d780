/** A run that diverged before its first checkpoint was told that "the last checkpoint is from before": there was none. */
import { expect, test } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { continueHere, createRun, tinyRecipe } from '../packages/core/test/runs.ts';

const scheduleFor = () => (step: number) => (step === 5 ? 1e38 : 0.001);

test.each([
  { save_steps: 4, says: /the last checkpoint is from before$/ },
  { save_steps: 12, says: /no checkpoint was saved before$/ },
])('with a checkpoint every $save_steps steps', async ({ save_steps, says }) => {
  await using run = await createRun(tinyRecipe(temporaryFolder(), { save_steps, max_steps: 12 }));
  await expect(continueHere(run, { changes: { scheduleFor } })).rejects.toMatchObject({
    code: 'loss_not_finite',
    next: expect.stringMatching(says),
  });
});
