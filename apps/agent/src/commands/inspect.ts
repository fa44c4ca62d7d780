import { UserError } from '@anneal/core/errors';
import { firstBatchesRequest } from '@anneal/core/protocol/batches';
import type { InspectedRow } from '@anneal/core/protocol/data';
import { type RowRange, rowRangeSchema } from '@anneal/core/protocol/data';
import { type Command, InvalidArgumentError } from 'commander';
import { exitCodeOfError } from '../exitCodes.ts';
import { print, printJson } from '../terminal/print.ts';
import { addExamples } from './examples.ts';
import { optionFor } from './requestOption.ts';
import { addSetOption } from './setOption.ts';
import { type OpenedRows, useCase } from './useCases.ts';

interface InspectOptions {
  set?: readonly string[];
  model?: string;
  row?: number;
  rows?: RowRange;
  verdicts?: boolean;
  batches?: number;
  tokens?: boolean;
  ids?: boolean;
  json?: boolean;
}

export function define(command: Command): void {
  addExamples(
    addSetOption(
      command.argument('<source>', 'a recipe, a data file or folder, or the name of a data set that was pulled'),
    )
      .option('--model <model>', 'without a recipe: whose tokenizer and template; default: smollm2-135m')
      .addOption(
        optionFor(rowRangeSchema.shape.first, '--row <number>', 'show this row, counted from 1 over all files'),
      )
      .option('--rows <first-last>', 'show these rows', rowRange)
      .option('--verdicts', 'what becomes of each row, a line for each')
      .addOption(
        optionFor(
          firstBatchesRequest.shape.count.unwrap(),
          '--batches <n>',
          'of a recipe: the first n batches, as training would make them',
        ).conflicts(['row', 'rows', 'verdicts', 'model']),
      )
      .option('--tokens', 'with --batches: their rows token by token')
      .option('--ids', 'show the token ids too')
      .action(inspect),
    'anneal inspect recipe.yaml',
    'anneal inspect recipe.yaml --row 17 --ids',
    'anneal inspect recipe.yaml --batches 3 --tokens',
    'anneal inspect rows.jsonl --model smollm2-135m --verdicts',
  );
}

function rowRange(text: string): RowRange {
  const [, first, last] = /^(\d+)-(\d+)$/.exec(text) ?? [];
  const range = { first: Number(first), last: Number(last) };
  if (range.first >= 1 && range.last >= range.first) return range;
  throw new InvalidArgumentError('Write it like 10-20.');
}

async function inspect(source: string, options: InspectOptions): Promise<void> {
  const { batches: count } = options;
  if (count !== undefined) return (await import('./inspectBatches.ts')).inspectBatches(source, { ...options, count });
  const openData = await useCase('openData');
  const { set, model, row, rows: range } = options;
  const data = await openData({}, { source, set, model });
  try {
    const asked = row === undefined ? range : { first: row, last: row };
    if (options.verdicts) return await listVerdicts(data, options);
    if (!asked) return await describeAll(data, options);
    const rows = await rowsOf(data, asked);
    if (rows.length === 0) throw noSuchRow(source, asked.first);
    if (options.json) return printJson({ rows });
    await printRows(rows, options);
  } finally {
    await data.close();
  }
}

/** The first row, then the report on all; where training would refuse the data, the reason and its exit code. */
async function describeAll(data: OpenedRows, options: InspectOptions): Promise<void> {
  const [{ finishPreparing }, { printReport }, { printError }] = await Promise.all([
    import('../terminal/preparation.ts'),
    import('../terminal/dataReport.ts'),
    import('../terminal/reportError.ts'),
  ]);
  const rows = await rowsOf(data, { first: 1, last: 1 });
  if (!options.json) await printRows(rows, options);
  const { report, refusal } = await finishPreparing(data.report());
  if (refusal) process.exitCode = exitCodeOfError(refusal.code);
  if (options.json) return printJson({ rows, ...(report && { report }), ...(refusal && { error: refusal }) });
  print();
  if (report) printReport(report, { isPacked: await data.isPacked() });
  if (refusal) printError(refusal, { json: false });
}

async function rowsOf(data: OpenedRows, range: RowRange): Promise<InspectedRow[]> {
  const rows: InspectedRow[] = [];
  for await (const row of data.rows.range(range)) rows.push(row);
  return rows;
}

async function printRows(rows: readonly InspectedRow[], options: InspectOptions): Promise<void> {
  const { printRow } = await import('../terminal/row.ts');
  for (const row of rows) printRow(row, options);
}

async function listVerdicts(data: OpenedRows, options: InspectOptions): Promise<void> {
  const { printVerdict } = await import('../terminal/row.ts');
  const range = options.rows ?? { first: 1, last: Number.POSITIVE_INFINITY };
  const verdicts: object[] = [];
  for await (const { source, verdict, leftOut, tokenCount, targetTokens } of data.rows.range(range)) {
    const counts = { tokens: tokenCount, targetTokens };
    if (options.json) verdicts.push({ source, ...counts, verdict, leftOut });
    else printVerdict(source, counts, verdict, leftOut);
  }
  if (options.json) printJson({ verdicts });
}

function noSuchRow(source: string, row: number): UserError {
  return new UserError({
    what: `there is no row ${row}`,
    where: source,
    next: '`anneal inspect` without --row says how many there are',
    code: 'row_not_found',
  });
}
