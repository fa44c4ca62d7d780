import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { type CreatedRun, type CreateRunRequest, createRunRequest } from '@anneal/core/protocol/runs';
import { requireDatasets } from '@anneal/core/trainer/dataOptions';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { openRecipe, openRecipeText } from '../recipes/open.ts';

/**
 * A new run of the recipe, which has not been started.
 * @throws InvalidRecipe; UserError where the model is not there or the folder cannot be written
 */
export async function createRun({ runsFolder }: Context, request: CreateRunRequest): Promise<CreatedRun> {
  const wanted = parseRequest(createRunRequest, request);
  const recipe =
    wanted.text === undefined
      ? await openRecipe(wanted.recipe, wanted.set)
      : openRecipeText(wanted.text, wanted.recipe, wanted.set);
  const { resolved, text: recipeText, resolvedText } = recipe;
  // Said before there is a run that can only fail.
  resolveModelPath(resolved.base_model, { revision: resolved.revision ?? undefined });
  requireDatasets(resolved);
  const root = runsFolder ?? resolved.output_dir;
  const name = wanted.name ?? recipe.name;
  const recipePath = existsSync(wanted.recipe) ? wanted.recipe : undefined;
  const run = await RunDirectory.create({ root, name, recipeText, resolvedText, recipePath });
  await run.close();
  return { id: basename(run.path), path: run.path };
}
