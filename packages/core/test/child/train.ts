/** Trains or continues a run in a process of its own: `train.ts <run directory>`. SIGTERM asks it to stop. */
import { resolveRecipe } from '../../src/recipe/resolve.ts';
import { createJob } from '../../src/trainer/job.ts';
import { RunDirectory } from '../../src/trainer/runDirectory.ts';
import { train } from '../../src/trainer/train.ts';

const path = process.argv[2];
if (path === undefined) throw new Error('the run directory is missing');
const signal = { stopRequested: false, saveRequested: false };
process.on('SIGTERM', () => {
  signal.stopRequested = true;
});
await using run = await RunDirectory.open(path);
await train(createJob(resolveRecipe(JSON.parse(run.readResolvedRecipe()), { baseDirectory: path })), run, signal);
