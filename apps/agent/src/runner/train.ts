/** From a recipe to a run: a new one, or the one that is to go on. */
import { basename, join, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { differingKeys, isChangeable } from '@anneal/core/recipe/change';
import { excludedBy } from '@anneal/core/recipe/exclusive';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { findRun, surveyRuns } from '@anneal/core/trainer/runReader';
import { type OpenedRecipe, openRecipe } from '../commands/openRecipe.ts';
import type { TrainOptions } from '../commands/train.ts';
import { dryRun } from './dryRun.ts';
import { resumeRun, startRun } from './start.ts';

export async function train(path: string, options: TrainOptions): Promise<void> {
  const recipe = await openRecipe(path, options.set);
  const name = options.name ?? recipe.name;
  const root = resolve(options.runsDir ?? recipe.resolved.output_dir);
  if (options.dryRun) return dryRun(recipe, root, options);
  if (options.resume !== undefined) {
    const run = typeof options.resume === 'string' ? await findRun(root, options.resume) : await newestRun(root, name);
    return resumeRun(run, await explicitChanges(run, recipe, options.set ?? []), options);
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
  const runs = await surveyRuns(root);
  const newest = runs.findLast((run) =>
    'error' in run ? basename(run.path).includes(name) : run.status.name === name,
  );
  if (newest && 'error' in newest) throw newest.error;
  if (newest) return newest.path;
  throw new UserError({
    what: `there is no run named "${name}" to continue`,
    where: root,
    next: 'leave --resume out to start one, or name a run: --resume <run>',
    code: 'run_not_found',
  });
}

/**
 * What the recipe has changed since the run was started, as `key=value`. A run goes on with its own recipe, so each of these
 * has to be asked for by `--set`: a changed file alone would do silently what nobody may have wanted.
 */
async function explicitChanges(path: string, recipe: OpenedRecipe, set: readonly string[]): Promise<string[]> {
  const started = await openRecipe(join(path, 'recipe.resolved.yaml'));
  const changed = differingKeys(started.resolved, recipe.resolved);
  const asked = new Set(set.map((assignment) => assignment.slice(0, assignment.indexOf('=')).trim()));
  const keys = changed.filter((key) => asked.has(key) && isChangeable(key));
  const implied = new Set(keys.flatMap((key) => excludedBy(key)));
  const others = changed.filter((key) => !keys.includes(key) && !implied.has(key));
  if (others.length === 0) return keys.map((key) => `${key}=${JSON.stringify(recipe.resolved[key])}`);
  throw new UserError({
    what: `the recipe is not the one this run was started with: ${others.join(', ')} changed`,
    where: path,
    next: others.every(isChangeable)
      ? `undo the change, or ask for it: add ${others.map((key) => `--set ${key}=${JSON.stringify(recipe.resolved[key])}`).join(' ')}`
      : 'undo the change, or start a new run (with lora_model_dir it can begin from this one)',
    code: 'recipe_changed',
  });
}
