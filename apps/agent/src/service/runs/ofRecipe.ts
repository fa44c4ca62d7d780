import { basename, join, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type CreateRunRequest, createRunRequest, type ResumeRunRequest } from '@anneal/core/protocol/runs';
import { differingKeys, isChangeable } from '@anneal/core/recipe/change';
import { excludedBy } from '@anneal/core/recipe/exclusive';
import { findRun, listRuns, readRun } from '@anneal/core/trainer/runReader';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { type OpenedRecipe, openRecipe } from '../recipes/open.ts';

/**
 * The run that a recipe was started as, the newest or the one named, and what of the recipe is asked to change in it.
 * @throws UserError `run_not_found`; `run_recipe_changed` for a change that nobody asked for
 */
export async function runOfRecipe(
  { runsFolder }: Context,
  request: CreateRunRequest & { run?: string | undefined },
): Promise<Required<ResumeRunRequest>> {
  const { set, recipe: path, name } = parseRequest(createRunRequest, request);
  const recipe = await openRecipe(path, set);
  const root = resolve(runsFolder ?? recipe.resolved.output_dir);
  const run = request.run === undefined ? await newestRun(root, name ?? recipe.name) : await findRun(root, request.run);
  return { run, set: await explicitChanges(run, recipe, set) };
}

async function newestRun(root: string, name: string): Promise<string> {
  for (const path of (await listRuns(root)).toReversed()) {
    try {
      if (readRun(path).status.name === name) return path;
    } catch (error) {
      if (!(error instanceof UserError) || basename(path).includes(name)) throw error;
    }
  }
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
    code: 'run_recipe_changed',
  });
}
