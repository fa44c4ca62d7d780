/** A run of one recipe for each of several seeds, one after another or in the queue, and how far they lie apart. */
import { UserError } from '@anneal/core/errors';
import { nameWithSeed, seedGroups } from '@anneal/core/protocol/seedGroups';
import { exitCodes } from '../exitCodes.ts';
import { runReference } from '../runner/runReference.ts';
import type { Context } from '../service/context.ts';
import { openRecipe } from '../service/recipes/open.ts';
import { compareRuns } from '../service/runs/compare.ts';
import { createRun } from '../service/runs/create.ts';
import { print, remark } from '../terminal/print.ts';
import { formatResults, formatSeeds } from '../terminal/runComparison.ts';
import { runInForeground } from './foreground.ts';
import { type QueueOptions, queueRecipe } from './queueRun.ts';

export interface SeedOptions extends QueueOptions {
  seeds: readonly number[];
  set?: string[];
  dryRun?: boolean;
  name?: string;
}

/** A run that does not finish ends it: those of the later seeds are not begun. */
export async function trainSeeds(context: Context, recipe: string, options: SeedOptions): Promise<void> {
  refuseBeside(options);
  const { seeds, set = [], json = false } = options;
  const opened = await openRecipe(recipe, set);
  const request = (seed: number) => {
    return { recipe, set: [...set, `seed=${seed}`], name: nameWithSeed(options.name ?? opened.name, seed) };
  };
  if (options.queue) {
    for (const seed of seeds) await queueRecipe(context, request(seed), options);
    return;
  }
  const runs: string[] = [];
  for (const [i, seed] of seeds.entries()) {
    const { path } = await createRun(context, request(seed));
    if (!json) remark(`seed ${seed}, ${i + 1} of ${seeds.length}`);
    process.exitCode = await runInForeground(path, { json });
    runs.push(path);
    if (process.exitCode === exitCodes.done) continue;
    const rest = seeds.slice(i + 1);
    if (!json && rest.length > 0) {
      remark(
        `not begun: seed ${rest.join(', ')}; compare with: anneal runs compare ${runs.map(runReference).join(' ')}`,
      );
    }
    return;
  }
  const comparison = await compareRuns(context, { runs });
  const groups = seedGroups(comparison);
  if (json) return print(JSON.stringify({ runs: comparison.runs, seeds: groups }));
  print(`\n${formatResults(comparison)}\n\n${formatSeeds(comparison, groups)}`);
  const { val_set_size: size, test_datasets: tests } = opened.resolved;
  if (size > 0 && !tests?.length) {
    remark('the seed decides which rows are held out, too: name test_datasets to measure all runs on the same ones');
  }
}

function refuseBeside({ detach, resume, dryRun, set = [] }: SeedOptions): void {
  const seed = set.find((each) => /^\s*seed\s*=/.test(each));
  const beside = detach
    ? '--detach'
    : resume !== undefined
      ? '--resume'
      : dryRun
        ? '--dry-run'
        : seed && `--set ${seed}`;
  if (!beside) return;
  throw new UserError({
    what: `--seeds is given beside ${beside}`,
    next: detach
      ? 'write --queue instead of --detach: the runs train in the background, one after another'
      : resume === undefined
        ? 'leave one of them out'
        : 'continue a run of one seed with `anneal runs resume`',
    code: 'options_conflict',
  });
}
