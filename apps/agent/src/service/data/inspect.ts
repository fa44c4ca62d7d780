/** What a model would learn from the rows, through the trainer's own code. */
import { extname, resolve } from 'node:path';
import { inspectData } from '@anneal/core/datasets/inspect';
import { UserError } from '@anneal/core/errors';
import { type ModelText, openModelText } from '@anneal/core/generate/modelText';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { openModel } from '@anneal/core/models/open';
import {
  type DataReport,
  type DataReportResult,
  type InspectRequest,
  inspectRequest,
} from '@anneal/core/protocol/data';
import type { PreparationProgress } from '@anneal/core/protocol/estimates';
import { parseRecipe } from '@anneal/core/recipe/read';
import { type ResolvedRecipe, resolveRecipe } from '@anneal/core/recipe/resolve';
import { type DataOptions, dataOptions } from '@anneal/core/trainer/dataOptions';
import { stepOptions } from '@anneal/core/trainer/job';
import { dateOfRunNow } from '@anneal/core/trainer/runDate';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { openRecipe } from '../recipes/open.ts';
import { reporting } from '../reporting.ts';
import { openPreparedData, type Surroundings } from './prepared.ts';
import { InspectedRows } from './rows.ts';

/** The data of a recipe, opened for looking at them. Close them to close the model whose tokenizer reads them. */
export interface InspectedData {
  readonly recipe: ResolvedRecipe;
  readonly data: DataOptions;
  readonly text: ModelText;
  readonly rows: InspectedRows;
  /** On all rows. Where training would refuse the data, why, and the report on what is left without them, if there is one. */
  report(): AsyncGenerator<PreparationProgress, DataReportResult>;
  close(): Promise<void>;
}

/** @throws UserError, InvalidRecipe */
export async function openData(_: Context, request: InspectRequest): Promise<InspectedData> {
  const recipe = await recipeOf(parseRequest(inspectRequest, request));
  const data = dataOptions(recipe);
  const model = openModel(resolveModelPath(recipe.base_model, { revision: recipe.revision ?? undefined }));
  try {
    const text = openModelText(model, { ...data.text, now: dateOfRunNow() });
    const rows = new InspectedRows(data, text);
    return {
      recipe,
      data,
      text,
      rows,
      report: () => reporting((report, signal) => reportAnyway(recipe, data, { text, report, signal })),
      async close() {
        await rows.close();
        model.close();
      },
    };
  } catch (error) {
    model.close();
    throw error;
  }
}

/** The report on all rows, without looking at any. */
export async function* reportOnData(
  context: Context,
  request: InspectRequest,
): AsyncGenerator<PreparationProgress, DataReportResult> {
  const data = await openData(context, request);
  try {
    return yield* data.report();
  } finally {
    await data.close();
  }
}

async function reportAnyway(
  recipe: ResolvedRecipe,
  data: DataOptions,
  surroundings: Surroundings,
): Promise<DataReportResult> {
  try {
    return { report: await reportOn(recipe, data, surroundings) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    if (error.code !== 'rows_too_long') return { refusal: error.toJSON() };
    // What is left without the rows that are too long is worth knowing all the same.
    const dropping: DataOptions = { ...data, prepare: { ...data.prepare, excessLength: 'drop' } };
    return { report: await reportOn(recipe, dropping, surroundings), refusal: error.toJSON() };
  }
}

async function reportOn(recipe: ResolvedRecipe, data: DataOptions, surroundings: Surroundings): Promise<DataReport> {
  const prepared = await openPreparedData(data, surroundings);
  try {
    const { sequenceLen, seed, answersPerRow } = stepOptions(recipe);
    return inspectData(prepared, { sequenceLen, seed, answersPerRow, packs: recipe.trl === null });
  } finally {
    await prepared.close();
  }
}

async function recipeOf({ source, set, model }: ReturnType<typeof inspectRequest.parse>): Promise<ResolvedRecipe> {
  if (/^\.ya?ml$/i.test(extname(source))) return (await openRecipe(source, set)).resolved;
  const written = JSON.stringify({ base_model: model, datasets: [{ path: resolve(source) }] });
  const { recipe, locate } = parseRecipe(written, source, set);
  return resolveRecipe(recipe, { baseDirectory: '.', locate });
}
