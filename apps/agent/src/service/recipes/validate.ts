import {
  type CheckRecipeRequest,
  checkRecipeRequest,
  type RecipeCheck,
  type RecipeRequest,
  recipeRequest,
  type ValidRecipe,
} from '@anneal/core/protocol/recipes';
import { InvalidRecipe } from '@anneal/core/recipe/problem';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { checkSources } from './checkSources.ts';
import { openRecipe, openRecipeText } from './open.ts';

/** The recipe with every default, once it and what it names are in order. @throws InvalidRecipe with every problem */
export async function validateRecipe(_: Context, request: RecipeRequest): Promise<ValidRecipe> {
  const { recipe, set } = parseRequest(recipeRequest, request);
  const opened = await openRecipe(recipe, set);
  const { problems, warnings, pull } = await checkSources(opened);
  if (problems.length > 0) throw new InvalidRecipe(problems);
  return { recipe: { ...opened.resolved }, resolvedText: opened.resolvedText, warnings, pull };
}

/** As `validateRecipe`, for a recipe that may be wrong. */
export async function checkRecipe(_: Context, request: CheckRecipeRequest): Promise<RecipeCheck> {
  const { recipe, set, text } = parseRequest(checkRecipeRequest, request);
  try {
    const opened = text === undefined ? await openRecipe(recipe, set) : openRecipeText(text, recipe, set);
    return { ...(await checkSources(opened)), values: { ...opened.resolved } };
  } catch (error) {
    if (error instanceof InvalidRecipe)
      return { problems: [...error.problems], warnings: [], pull: null, values: null };
    throw error;
  }
}
