/** The process that trains: `worker.ts <run directory> [--detached] [key=value of the recipe, changed for this launch …]`. */
import { preparedDataFolder } from '@anneal/core/hub/cache';
import { changeRecipe } from '@anneal/core/recipe/change';
import { createJob } from '@anneal/core/trainer/job';
import { train } from '@anneal/core/trainer/train';
import { runWorker } from './runWorker.ts';

const [path, ...rest] = process.argv.slice(2);
const detached = rest[0] === '--detached';
const overrides = detached ? rest.slice(1) : rest;
if (path === undefined) throw new Error('the run directory is missing');

const exitCode = await runWorker(
  path,
  async (run, signal, onAccepted) => {
    const change = changeRecipe(run.readResolvedRecipe(), `${path}/recipe.resolved.yaml`, overrides, path);
    await train(createJob(change.resolved), run, signal, {
      onAccepted,
      preparedCache: preparedDataFolder(),
      ...(overrides.length > 0 && { change }),
    });
  },
  { detached },
);
// Threads of native libraries may go on; everything that matters is on the disk.
process.exit(exitCode);
