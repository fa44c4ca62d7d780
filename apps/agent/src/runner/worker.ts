/** The process that trains: `worker.ts <run directory>` and the arguments of a launch. */
import { preparedDataFolder } from '@anneal/core/hub/cache';
import { changeRecipe } from '@anneal/core/recipe/change';
import { createJob } from '@anneal/core/trainer/job';
import { train } from '@anneal/core/trainer/train';
import manifest from '../../package.json' with { type: 'json' };
import { parseLaunch } from './launchArguments.ts';
import { runWorker } from './runWorker.ts';

const [path, ...rest] = process.argv.slice(2);
const launch = parseLaunch(rest);
const { changes: overrides, repetition } = launch;
if (path === undefined) throw new Error('the run directory is missing');

const exitCode = await runWorker(
  path,
  async (run, signal, onAccepted) => {
    const change = changeRecipe(run.readResolvedRecipe(), `${path}/recipe.resolved.yaml`, overrides, path);
    await train(createJob(change.resolved), run, signal, {
      onAccepted,
      preparedCache: preparedDataFolder(),
      version: manifest.version,
      repetition,
      ...(overrides.length > 0 && { change }),
    });
  },
  launch,
);
// Threads of native libraries may go on; everything that matters is on the disk.
process.exit(exitCode);
