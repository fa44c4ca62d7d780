/** `anneal inspect`: what a model would learn from the rows, through the trainer's own code. */
import { rm } from 'node:fs/promises';
import { extname, resolve } from 'node:path';
import { type DataReport, type InspectedRow, inspectData } from '@anneal/core/datasets/inspect';
import { prepareData } from '@anneal/core/datasets/prepareData';
import { UserError } from '@anneal/core/errors';
import { type ModelText, openModelText } from '@anneal/core/generate/modelText';
import { resolveModelPath } from '@anneal/core/hub/resolve';
import { openModel } from '@anneal/core/models/open';
import { type ResolvedRecipe, resolveRecipe } from '@anneal/core/recipe/resolve';
import { type DataOptions, dataOptions } from '@anneal/core/trainer/dataOptions';
import { makeTemporaryFolder } from '@anneal/formats/files/temporaryFolder';
import type { InspectOptions } from '../commands/inspect.ts';
import { exitCodeOfError } from '../exitCodes.ts';
import { openRecipe } from '../service/recipes/open.ts';
import { print, printJson } from '../terminal/print.ts';
import { printError } from '../terminal/reportError.ts';
import { printReport } from './printReport.ts';
import { printRow, printVerdict } from './printRow.ts';
import { inspectRange } from './rows.ts';

export async function inspect(source: string, options: InspectOptions): Promise<void> {
  const recipe = await recipeOf(source, options);
  const data = dataOptions(recipe);
  const model = openModel(resolveModelPath(recipe.base_model, { revision: recipe.revision ?? undefined }));
  try {
    const text = openModelText(model, data.text);
    const asked = options.row === undefined ? options.rows : { first: options.row, last: options.row };
    if (options.verdicts) return await listVerdicts(data, text, options);
    if (asked) {
      const rows = await collect(inspectRange(data, text, asked));
      if (rows.length === 0) throw noSuchRow(source, asked.first);
      if (options.json) return printJson({ rows });
      return rows.forEach((row) => printRow(row, options));
    }
    await describeAll(recipe, data, text, options);
  } finally {
    model.close();
  }
}

/** The first row, then the report on all; where training would refuse the data, the reason and its exit code. */
async function describeAll(
  recipe: ResolvedRecipe,
  data: DataOptions,
  text: ModelText,
  options: InspectOptions,
): Promise<void> {
  const rows = await collect(inspectRange(data, text, { first: 1, last: 1 }));
  if (!options.json) for (const row of rows) printRow(row, options);
  let report: DataReport | undefined;
  let refusal: UserError | undefined;
  try {
    report = await reportOn(recipe, data, text);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    refusal = error;
    process.exitCode = exitCodeOfError(error.code);
    // What is left without the rows that are too long is worth knowing all the same.
    const dropping: DataOptions = { ...data, prepare: { ...data.prepare, excessLength: 'drop' } };
    if (error.code === 'rows_too_long') report = await reportOn(recipe, dropping, text);
  }
  if (options.json) return printJson({ rows, ...(report && { report }), ...(refusal && { error: refusal }) });
  print();
  if (report) printReport(report, { isPacked: recipe.sample_packing });
  if (refusal) printError(refusal, { json: false });
}

async function reportOn(recipe: ResolvedRecipe, data: DataOptions, text: ModelText): Promise<DataReport> {
  const folder = makeTemporaryFolder('inspect');
  try {
    const { tokenizer, renderer } = text;
    const prepared = await prepareData({ ...data.prepare, folder, tokenizer, renderer });
    try {
      return inspectData(prepared, { sequenceLen: recipe.sequence_len, seed: recipe.seed });
    } finally {
      prepared.train.close();
      prepared.validation?.close();
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function listVerdicts(data: DataOptions, text: ModelText, options: InspectOptions): Promise<void> {
  const range = options.rows ?? { first: 1, last: Number.POSITIVE_INFINITY };
  const verdicts: object[] = [];
  for await (const { source, verdict, leftOut, tokenCount, targetTokens } of inspectRange(data, text, range)) {
    const counts = { tokens: tokenCount, targetTokens };
    if (options.json) verdicts.push({ source, ...counts, verdict, leftOut });
    else printVerdict(source, counts, verdict, leftOut);
  }
  if (options.json) printJson({ verdicts });
}

async function recipeOf(source: string, options: InspectOptions): Promise<ResolvedRecipe> {
  if (/^\.ya?ml$/i.test(extname(source))) return (await openRecipe(source, options.set)).resolved;
  const written = { base_model: options.model ?? 'smollm2-135m', datasets: [{ path: resolve(source) }] };
  return resolveRecipe(written, { baseDirectory: '.' });
}

async function collect(rows: AsyncIterable<InspectedRow>): Promise<InspectedRow[]> {
  const all: InspectedRow[] = [];
  for await (const row of rows) all.push(row);
  return all;
}

function noSuchRow(source: string, row: number): UserError {
  return new UserError({
    what: `there is no row ${row}`,
    where: source,
    next: '`anneal inspect` without --row says how many there are',
    code: 'row_not_found',
  });
}
