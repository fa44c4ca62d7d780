/**
 * A checkpoint whose adapter had another rank was written into the plan's factors row by row, one of another scale was
 * measured with the recipe's: `anneal eval latest --set lora_r=32` printed the loss of a model nobody had trained.
 */
import { expect, test } from 'vitest';
import { resolveRecipe } from '../packages/core/src/recipe/resolve.ts';
import { createJob } from '../packages/core/src/trainer/job.ts';
import { openSession } from '../packages/core/src/trainer/session.ts';
import { startEngine } from '../packages/core/src/trainer/startEngine.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { checkpointPath, tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

test.each([
  { changes: { lora_r: 8 }, what: /rank 4 and scale 2 on layers.0.q, .* rank 8 and scale 1/ },
  { changes: { lora_alpha: 16 }, what: /rank 4 and scale 2 on layers.0.q, .* rank 4 and scale 4/ },
  { changes: { lora_target_modules: ['q_proj'] }, what: /scale 2 on layers.0.k, this recipe no adapter/ },
])('a checkpoint is not taken for one of $changes', async ({ changes, what }) => {
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, { max_steps: 2 });
  const run = await trainHere(recipe);
  const resolved = resolveRecipe({ ...recipe, ...changes }, { baseDirectory: '/' });
  const session = await openSession(createJob(resolved), { dataFolder: folder });
  try {
    await expect(startEngine(session, checkpointPath(run, 2))).rejects.toMatchObject({
      code: 'checkpoint_of_another_run',
      what: expect.stringMatching(what),
    });
  } finally {
    await session.close();
  }
});
