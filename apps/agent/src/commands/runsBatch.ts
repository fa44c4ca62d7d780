import { UserError } from '@anneal/core/errors';
import type { BatchRow, MeasuringProgress, StepBatch } from '@anneal/core/protocol/batches';
import { byLoss } from '@anneal/core/protocol/byLoss';
import { finish } from '../service/finish.ts';
import { lossesInWords, printLossTokens } from '../terminal/lossTokens.ts';
import { print, printJson, printJsonLine } from '../terminal/print.ts';
import { ProgressLine } from '../terminal/progressLine.ts';
import { formatTable } from '../terminal/table.ts';
import { formatCount } from '../units.ts';
import { contextOf, type RunsOptions } from './runsDirectory.ts';
import { useCase } from './useCases.ts';

export async function batch(run: string, step: number, options: RunsOptions & { row?: number }): Promise<void> {
  const openBatches = await useCase('openBatches');
  const batches = await finish(openBatches(contextOf(options), { run }));
  try {
    const found = await batches.batch({ step });
    const rows = found.rows.toSorted(byLoss);
    if (options.row === undefined) {
      if (options.json) printJson(found);
      else printBatch(found, rows);
      return;
    }
    const row = rows[options.row - 1];
    if (!row) throw noSuchRow(step, options.row, rows.length);
    const measured = await withProgress((report) => finish(batches.measure({ step }), report));
    if (!options.json) print(`${placeOf(row)}, by the weights of ${weightsOf(measured.checkpoint)}`);
    for (let from = 0; from < row.tokens; ) {
      const { tokens } = await batches.row({ step, document: row.document, from });
      if (options.json) for (const [i, token] of tokens.entries()) printJsonLine({ at: from + i, ...token });
      else printLossTokens(tokens, from);
      from += tokens.length;
    }
  } finally {
    await batches.close();
  }
}

/** The rows with the highest losses first. */
function printBatch({ step, epoch, index, stepsPerEpoch, tokens, targetTokens }: StepBatch, rows: readonly BatchRow[]) {
  print(
    `step ${formatCount(step)}: ${formatCount(index + 1)} of ${formatCount(stepsPerEpoch)} in epoch ${epoch + 1}, ` +
      `${formatCount(tokens)} tokens, ${formatCount(targetTokens)} trained\n`,
  );
  print(
    formatTable(
      [
        { title: '#', align: 'right' },
        { title: 'LOSS', align: 'right' },
        { title: 'TOKENS', align: 'right' },
        { title: 'TRAINED', align: 'right' },
        { title: 'ROW' },
        { title: 'BEGINS WITH' },
      ],
      rows.map((row, i) => [
        String(i + 1),
        lossesInWords(row.loss),
        formatCount(row.tokens),
        formatCount(row.targetTokens),
        placeOf(row),
        row.excerpt.slice(0, 60),
      ]),
    ),
  );
}

const placeOf = ({ file, row }: BatchRow): string => `${file}:${row}`;

const weightsOf = (checkpoint: number): string =>
  checkpoint === 0 ? 'the model before training' : `checkpoint ${formatCount(checkpoint)}`;

function noSuchRow(step: number, row: number, rows: number): UserError {
  return new UserError({
    what: `step ${step} has ${rows} rows, so none with number ${row}`,
    where: '--row',
    next: 'choose one of the list that comes without --row',
    code: 'row_not_found',
  });
}

async function withProgress<T>(work: (report: (progress: MeasuringProgress) => void) => Promise<T>): Promise<T> {
  const line = process.stderr.isTTY ? new ProgressLine(process.stderr) : undefined;
  return work(({ phase, done, of }) =>
    line?.show(
      `${phase === 'loading' ? 'loading the model' : 'measuring'}: ${formatCount(done)} of ${formatCount(of)}`,
    ),
  ).finally(() => line?.clear());
}
