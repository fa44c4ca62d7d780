/** The process that trains: `worker.ts <run directory>`. */
import { parseRecipe } from '@anneal/core/recipe/read';
import { resolveRecipe } from '@anneal/core/recipe/resolve';
import { createJob } from '@anneal/core/trainer/job';
import { train } from '@anneal/core/trainer/train';
import { launch } from './launch.ts';

const path = process.argv[2];
if (path === undefined) throw new Error('the run directory is missing');

const exitCode = await launch(path, async (run, signal) => {
  const { recipe } = parseRecipe(run.readResolvedRecipe(), `${path}/recipe.resolved.yaml`);
  await train(createJob(resolveRecipe(recipe, { baseDirectory: path })), run, signal);
});
// Threads of native libraries may go on; everything that matters is on the disk.
process.exit(exitCode);
