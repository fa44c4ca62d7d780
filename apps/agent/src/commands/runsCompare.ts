import { UserError } from '@anneal/core/errors';
import type { RunComparison } from '@anneal/core/protocol/runs';
import { seedGroups } from '@anneal/core/protocol/seedGroups';
import { comparisonCsv } from '../service/runs/comparisonCsv.ts';
import { print, printJson, remark } from '../terminal/print.ts';
import { formatRecipes, formatResults, formatSeeds, formatSteps } from '../terminal/runComparison.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

interface Options extends RunsOptions {
  steps?: boolean;
  csv?: boolean;
}

export async function compare(runs: readonly string[], options: Options): Promise<void> {
  if (options.csv && options.json) {
    throw new UserError({
      what: '--csv and --json are given together',
      next: 'leave one of them out',
      code: 'options_conflict',
    });
  }
  const compareRuns = await useCase('compareRuns');
  const steps = options.steps === true || options.json === true;
  const comparison = await compareRuns(contextOf(options), { runs, steps });
  if (options.json) return printJson(asJson(comparison));
  if (options.csv) return print(comparisonCsv(comparison).trimEnd());
  print(`${formatRecipes(comparison)}\n`);
  print(formatResults(comparison));
  const groups = seedGroups(comparison);
  if (groups.length > 0) print(`\n${formatSeeds(comparison, groups)}`);
  if (options.steps) print(`\n${formatSteps(comparison)}`);
  if (comparison.recipe.includes('rl')) {
    remark('these runs minimize different things (see `rl`): their losses say nothing about each other');
  }
}

/** Of two runs the values of a key are `a` and `b`, of more a list; null where a recipe has none. */
function asJson({ runs, recipe, ...comparison }: RunComparison): unknown {
  const differences = recipe.map((key) => {
    const values = runs.map(({ settings }) => settings[key] ?? null);
    return runs.length === 2 ? { key, a: values[0], b: values[1] } : { key, values };
  });
  const seeds = seedGroups({ runs, recipe });
  return { ...comparison, runs: runs.map((run) => ({ ...run, settings: undefined })), recipe: differences, seeds };
}
