/** From a run back to the recipe that it was made of, which a run does not record. */
import { dirname } from 'node:path';
import { recipeName } from '../../service/recipes/open.ts';
import { textAt, type Workspace } from '../workspace.ts';

/**
 * The key of the recipe with the run's text; else, as recipes are changed and runs have settings of their own, of the newest one
 * with the run's name beside its folder of runs. Null where there is none (any more).
 */
export function recipeOfRun(
  workspace: Pick<Workspace, 'recipes'>,
  run: { path: string; name: string; text: string },
): string | null {
  const recipes = workspace.recipes();
  const besides = ({ path }: { path: string }) => dirname(path) === dirname(dirname(run.path));
  const isOfName = (recipe: { path: string }) => besides(recipe) && recipeName(recipe.path) === run.name;
  const hasText = ({ path }: { path: string }) => textAt(path) === run.text;
  const found =
    recipes.find((recipe) => besides(recipe) && hasText(recipe)) ?? recipes.find(isOfName) ?? recipes.find(hasText);
  return found?.key ?? null;
}
