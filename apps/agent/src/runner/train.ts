/** From a recipe to a run: a new one, or the one that is to go on. */
import { join, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { findRun, listRuns, readRun } from '@anneal/core/trainer/runReader';
import { type OpenedRecipe, openRecipe } from '../commands/openRecipe.ts';
import type { TrainOptions } from '../commands/train.ts';
import { dryRun } from './dryRun.ts';
import { resumeRun, startRun } from './start.ts';

export async function train(path: string, options: TrainOptions): Promise<void> {
  const recipe = await openRecipe(path, options.set);
  const name = options.name ?? recipe.name;
  const root = resolve(options.runsDir ?? recipe.resolved.output_dir);
  if (options.dryRun) return dryRun(recipe, options);
  if (options.resume !== undefined) {
    const run = typeof options.resume === 'string' ? await findRun(root, options.resume) : await newestRun(root, name);
    await refuseOtherRecipe(run, recipe);
    return resumeRun(run, options);
  }
  refuseMissingModel(recipe);
  const { text: recipeText, resolvedText } = recipe;
  const run = await RunDirectory.create({ root, name, recipeText, resolvedText });
  await run.close();
  await startRun(run.path, options);
}

/** Said before there is a run that can only fail. */
function refuseMissingModel({ resolved }: OpenedRecipe): void {
  resolveModelPath(resolved.base_model, { revision: resolved.revision ?? undefined });
}

async function newestRun(root: string, name: string): Promise<string> {
  const runs = await listRuns(root);
  const newest = runs.findLast((path) => readRun(path).status.name === name);
  if (newest) return newest;
  throw new UserError({
    what: `there is no run named "${name}" to continue`,
    where: root,
    next: 'leave --resume out to start one, or name a run: --resume <run>',
    code: 'run_not_found',
  });
}

/** A run goes on with the recipe it was started with; a changed one would silently not be followed. */
async function refuseOtherRecipe(path: string, recipe: OpenedRecipe): Promise<void> {
  const started = await openRecipe(join(path, 'recipe.resolved.yaml'));
  const changed = Object.entries(recipe.resolved)
    .filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(started.resolved[key as 'seed']))
    .map(([key]) => key);
  if (changed.length === 0) return;
  throw new UserError({
    what: `the recipe is not the one this run was started with: ${changed.join(', ')} changed`,
    where: path,
    next: 'undo the change, or start a new run (with lora_model_dir it can begin from this one)',
    code: 'recipe_changed',
  });
}
