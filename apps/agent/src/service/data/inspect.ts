/** What a model would learn from the rows, through the trainer's own code. */
import { extname } from 'node:path';
import { inspectData } from '@anneal/core/datasets/dataReport';
import { UserError } from '@anneal/core/errors';
import { type ModelText, openModelText } from '@anneal/core/generate/modelText';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import type { OpenModel } from '@anneal/core/models/model';
import { openModel } from '@anneal/core/models/open';
import {
  type DataReport,
  type DataReportResult,
  type InspectRequest,
  inspectRequest,
} from '@anneal/core/protocol/data';
import type { OtherText } from '@anneal/core/protocol/dataView';
import type { PreparationProgress } from '@anneal/core/protocol/estimates';
import type { KeyPath, Location } from '@anneal/core/recipe/problem';
import { parseRecipe } from '@anneal/core/recipe/read';
import { type ResolvedRecipe, resolveRecipe } from '@anneal/core/recipe/resolve';
import { withoutRowWarnings } from '@anneal/core/tokenizers/tokensWithoutRow';
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
  /** How another template, or the tokenizer of another model, would read them. @throws UserError */
  otherText(other: OtherText): ModelText;
  /** On all rows. Where training would refuse the data, why, and the report on what is left without them, if there is one. */
  report(): AsyncGenerator<PreparationProgress, DataReportResult>;
  close(): Promise<void>;
}

/** @throws UserError, InvalidRecipe */
export async function openData(_: Context, request: InspectRequest): Promise<InspectedData> {
  const recipe = await recipeOf(parseRequest(inspectRequest, request));
  const data = dataOptions(recipe);
  const model = openModel(baseOf(recipe));
  try {
    const text = openModelText(model, { ...data.text, now: dateOfRunNow() });
    const rows = new InspectedRows(data, text);
    return {
      recipe,
      data,
      text,
      rows,
      otherText: (other) => otherText(recipe, data, other, model.chatTemplates),
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

/** @param chatTemplates the model's own: what another tokenizer reads is the same text, where no other template is named */
function otherText(
  recipe: ResolvedRecipe,
  data: DataOptions,
  { template, model: other }: OtherText,
  chatTemplates: OpenModel['chatTemplates'],
): ModelText {
  const chatTemplate = template === 'tokenizer_default' ? null : template;
  const chosen =
    template === null ? { ...data.text, chatTemplates } : { ...data.text, chatTemplate, promptFormat: null };
  const model = openModel(other ?? baseOf(recipe));
  try {
    return openModelText(model, { ...chosen, now: dateOfRunNow() });
  } finally {
    model.close(); // a tokenizer is read at once
  }
}

function baseOf({ base_model: base, revision }: ResolvedRecipe): string {
  return resolveModelPath(base, { revision: revision ?? undefined });
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
    const report = inspectData(prepared, { sequenceLen, seed, answersPerRow, packs: recipe.trl === null });
    const withoutRow = surroundings.text.tokenizer.withoutRow.map(({ text }) => text);
    return { ...report, warnings: [...withoutRowWarnings(withoutRow, baseOf(recipe)), ...report.warnings] };
  } finally {
    await prepared.close();
  }
}

async function recipeOf({ source, set, model }: ReturnType<typeof inspectRequest.parse>): Promise<ResolvedRecipe> {
  if (/^\.ya?ml$/i.test(extname(source))) return (await openRecipe(source, set)).resolved;
  const written = JSON.stringify({ base_model: model, datasets: [{ path: source }] });
  const { recipe, locate } = parseRecipe(written, source, set);
  // Nobody wrote that text: a place in it would tell nothing.
  const place = (path: KeyPath): Location => {
    const { line, ...found } = locate(path);
    return line === undefined ? found : { where: source };
  };
  return resolveRecipe(recipe, { baseDirectory: '.', locate: place });
}
