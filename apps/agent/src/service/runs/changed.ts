import { join } from 'node:path';
import { type ChangedRecipe, changeRecipe } from '@anneal/core/recipe/change';
import { readRunFile } from '@anneal/core/trainer/runFiles';
import { readRun } from '@anneal/core/trainer/runReader';

/** The recipe of a run as its next launch takes it. @throws UserError, as `changeRecipe` */
export function changedRecipeOf(path: string, overrides: readonly string[]): ChangedRecipe {
  const file = join(path, 'recipe.resolved.yaml');
  const hasBegun = readRun(path).status.state !== 'created';
  return changeRecipe(readRunFile(file), file, overrides, path, { hasBegun });
}
