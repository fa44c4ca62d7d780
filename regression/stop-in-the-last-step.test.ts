/** A stop that came during the last step ended the run without the answers to its sample prompts, and no launch gave them later. */
import { expect, test } from 'vitest';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { continueHere, createRun, eventsOf, tinyRecipe } from '../packages/core/test/runs.ts';

test('the last checkpoint has its samples', async () => {
  const changes = { sample_prompts: ['ant', 'bee'], sample_max_tokens: 4, max_steps: 3, saves_per_epoch: 0 };
  await using run = await createRun(tinyRecipe(temporaryFolder(), changes));
  const finished = await continueHere(run, {
    signal: {
      get stopRequested() {
        return run.status.step === 3;
      },
      saveRequested: false,
    },
  });
  expect(finished.events.at(-1)?.type).toBe('finished');
  expect(eventsOf(finished, 'sample').map(({ step }) => step)).toEqual([0, 0, 3, 3]);
});
