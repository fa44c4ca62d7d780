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
    const hasBegun = run.status.state !== 'created';
    const file = `${path}/recipe.resolved.yaml`;
    const change = changeRecipe(run.readResolvedRecipe(), file, overrides, path, { hasBegun });
    const { resolved, resolvedText, changes } = change;
    // There is nothing to compare yet, and data take minutes: meanwhile everybody sees on which device it is.
    if (!hasBegun && changes.length > 0) run.changeRecipe(resolvedText, changes);
    await train(createJob(resolved), run, signal, {
      onAccepted,
      preparedCache: preparedDataFolder(),
      version: manifest.version,
      repetition,
      ...(overrides.length > 0 && { change: hasBegun ? change : { resolvedText, changes: [] } }),
    });
  },
  launch,
);
// Threads of native libraries may go on; everything that matters is on the disk.
process.exit(exitCode);
