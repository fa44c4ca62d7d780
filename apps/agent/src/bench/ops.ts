import { chooseDevice } from '@anneal/core/device';
import type { BenchOptions } from '../commands/bench.ts';
import { print, printJson } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';
import { formatNumber } from '../terminal/units.ts';

/** The suite ops: single kernels. */
export async function printOps({ op, device: deviceName, threads, json }: BenchOptions): Promise<void> {
  const { benchOps } = await import('@anneal/core/bench/ops');
  const device = chooseDevice(deviceName, { threads });
  const rows = await benchOps(device, op);
  if (json) return printJson(rows);
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
