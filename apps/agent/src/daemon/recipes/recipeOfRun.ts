/** From a run back to the recipe that it was made of. */
import { dirname, join } from 'node:path';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { recipeName } from '../../service/recipes/open.ts';
import { textAt, type Workspace } from '../workspace.ts';

/**
 * The key of the recipe that the run has recorded; of a run that has recorded none, or whose recipe is no longer there, that of the
 * one with its text; else of the newest one with the run's name beside its folder of runs. Null where there is none (any more).
 */
export function recipeOfRun(
  workspace: Pick<Workspace, 'recipes'>,
  run: { path: string; name: string; text: string },
): string | null {
  const recipes = workspace.recipes();
  const recorded = recordedIn(run.path);
  const besides = ({ path }: { path: string }) => dirname(path) === dirname(dirname(run.path));
  const isOfName = (recipe: { path: string }) => besides(recipe) && recipeName(recipe.path) === run.name;
  const hasText = ({ path }: { path: string }) => textAt(path) === run.text;
  const found =
    recipes.find(({ path }) => path === recorded) ??
    recipes.find((recipe) => besides(recipe) && hasText(recipe)) ??
    recipes.find(isOfName) ??
    recipes.find(hasText);
  return found?.key ?? null;
}

/** Nothing is opened at this path: it is compared with those of recipes that are there. */
function recordedIn(run: string): string | null {
  const [first] = readEvents(join(run, 'events.jsonl'));
  return first?.type === 'run_created' && first.recipe !== undefined ? join(run, first.recipe) : null;
}
