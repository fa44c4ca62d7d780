import {
  type CheckRecipeRequest,
  checkRecipeRequest,
  type RecipeCheck,
  type RecipeRequest,
  recipeRequest,
  type ValidRecipe,
} from '@anneal/core/protocol/recipes';
import { synthesisRecipe } from '@anneal/core/recipe/kinds';
import { InvalidRecipe } from '@anneal/core/recipe/problem';
import { kindOfText } from '@anneal/core/recipe/read';
import { readSynthesisRecipe, readSynthesisText } from '@anneal/core/recipe/synthesis/read';
import { readText } from '@anneal/core/recipe/yamlText';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { problemsOfSources } from '../synthesis/checkSources.ts';
import { checkSources } from './checkSources.ts';
import { openRecipe, openRecipeText } from './open.ts';

/**
 * The recipe with every default, once it and what it names are in order, be it of training or of `anneal synthesize`.
 * @throws InvalidRecipe with every problem
 */
export async function validateRecipe(_: Context, request: RecipeRequest): Promise<ValidRecipe> {
  const { recipe, set } = parseRequest(recipeRequest, request);
  if (kindOfText(await readText(recipe), recipe) === synthesisRecipe) return validateSynthesis(recipe, set);
  const opened = await openRecipe(recipe, set);
  const { problems, warnings, pull } = await checkSources(opened);
  if (problems.length > 0) throw new InvalidRecipe(problems);
  const { resolved, resolvedText } = opened;
  return { kind: 'training', recipe: { ...resolved }, resolvedText, warnings, pull };
}

async function validateSynthesis(path: string, set: readonly string[] | undefined): Promise<ValidRecipe> {
  const { options, recipe, resolvedText, locate } = await readSynthesisRecipe(path, set);
  const problems = problemsOfSources(options, locate);
  if (problems.length > 0) throw new InvalidRecipe(problems);
  return { kind: 'synthesis', recipe, resolvedText, warnings: [], pull: null };
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

/** As `checkRecipe`, for a recipe of `anneal synthesize`. */
export async function checkSynthesis(_: Context, request: CheckRecipeRequest): Promise<RecipeCheck> {
  const { recipe: path, set, text } = parseRequest(checkRecipeRequest, request);
  const known = { warnings: [], pull: null };
  try {
    const read = text === undefined ? await readSynthesisRecipe(path, set) : readSynthesisText(text, path, set);
    return { ...known, problems: problemsOfSources(read.options, read.locate), values: read.recipe };
  } catch (error) {
    if (error instanceof InvalidRecipe) return { ...known, problems: [...error.problems], values: null };
    throw error;
  }
}
