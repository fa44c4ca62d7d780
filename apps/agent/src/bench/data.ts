import { UserError } from '@anneal/core/errors';
import type { BenchOptions } from '../commands/bench.ts';
import { print, printJson } from '../terminal/print.ts';
import { formatTable } from '../terminal/table.ts';

/** The suite data: what becomes of a file of rows. */
export async function printData(modelPath: string, { data, maxRows, json }: BenchOptions): Promise<void> {
  if (data === undefined) {
    throw new UserError({
      what: 'the suite data needs a file of rows',
      next: 'add --data train.jsonl',
      code: 'option_missing',
    });
  }
  const { benchData } = await import('@anneal/core/bench/data');
  const row = await benchData({ modelPath, file: data, maxRows });
  if (json) return printJson([row]);
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
