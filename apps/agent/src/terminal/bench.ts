/** How a terminal shows what was measured. */
import type { DataBenchRow } from '@anneal/core/bench/data';
import type { OpBenchRow } from '@anneal/core/bench/ops';
import type { BenchRow } from '@anneal/core/bench/row';
import { formatNumber } from '../units.ts';
import { print } from './print.ts';
import { formatTable } from './table.ts';

export function printBench(rows: readonly BenchRow[]): void {
  print(
    formatTable(
      [
        { title: 'SUITE' },
        { title: 'MODEL' },
        { title: 'TYPE' },
        { title: 'TOKENS', align: 'right' },
        { title: 'TOKENS/S', align: 'right' },
        { title: 'MS', align: 'right' },
        { title: 'SPREAD', align: 'right' },
        { title: 'PEAK GB', align: 'right' },
        { title: 'DEVICE' },
      ],
      rows.map((row) => [
        row.suite,
        row.shape,
        row.dtype,
        String(row.sequenceLen),
        row.tokensPerSecond.toFixed(1),
        row.msPerStep.toFixed(1),
        `${(100 * row.spread).toFixed(0)} %`,
        row.peakGb.toFixed(2),
        row.device,
      ]),
    ),
  );
  for (const row of rows) printProfile(row);
}

function printProfile(row: BenchRow): void {
  const profile = row['profile'] as { op: string; msPerStep: number; launches: number }[] | undefined;
  if (!profile) return;
  print(`\n${row.dtype}, milliseconds of a step by op`);
  print(
    formatTable(
      [{ title: 'OP' }, { title: 'MS', align: 'right' }, { title: 'LAUNCHES', align: 'right' }],
      profile
        .toSorted((a, b) => b.msPerStep - a.msPerStep)
        .map(({ op, msPerStep, launches }) => [op, msPerStep.toFixed(2), formatNumber(launches)]),
    ),
  );
}

export function printDataBench(row: DataBenchRow): void {
  print(
    formatTable(
      [{ title: 'MEASURED' }, { title: 'VALUE', align: 'right' }],
      [
        ['rows in the file', row.rows.toLocaleString('en')],
        ['opening and counting', `${row.openMs.toFixed(0)} ms`],
        ['a page of 100 rows', `${row.pageMs.toFixed(1)} ms`],
        ['rendered text', `${row.megabytes.toFixed(1)} MB`],
        ['tokens', row.tokens.toLocaleString('en')],
        ['rendering and tokenizing', `${row.megabytesPerSecond.toFixed(2)} MB/s`],
        ['the same, one core', `${row.megabytesPerCoreSecond.toFixed(2)} MB/s`],
      ],
    ),
  );
}

export function printOpBench(rows: readonly OpBenchRow[]): void {
  print(
    formatTable(
      [
        { title: 'OP' },
        { title: 'SHAPE' },
        { title: 'TYPE' },
        { title: 'MS', align: 'right' },
        { title: 'SPREAD', align: 'right' },
        { title: 'GFLOP/S', align: 'right' },
        { title: 'GB/S', align: 'right' },
      ],
      rows.map((row) => [
        row.op,
        row.shape,
        row.dtype,
        formatNumber(row.milliseconds),
        `${(100 * row.spread).toFixed(0)} %`,
        row.gflops.toFixed(1),
        row.gigabytesPerSecond.toFixed(1),
      ]),
    ),
  );
  print(`\n${rows[0]?.device}`);
}
