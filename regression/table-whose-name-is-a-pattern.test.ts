/**
 * DuckDB takes a path for a pattern of files: of `x[1].parquet` the rows of x1.parquet beside it were read, of `x*.csv` those of all, and
 * a folder `split=train` became a column. Rows that changed between opening and reading were as silent.
 */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { openSource } from '@anneal/core/datasets/read';
import type { RawRow } from '@anneal/core/datasets/types';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

let folder: string;
const parquetOf = (rows: number) => join(folder, `rows-${rows}`);
beforeAll(async () => {
  folder = temporaryFolder('pattern');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const rows of [1, 2, 3]) {
    const sql = `SELECT '${rows} rows' AS text FROM range(${rows})`;
    await connection.run(`COPY (${sql}) TO '${parquetOf(rows)}' (format parquet)`);
  }
  connection.closeSync();
  instance.closeSync();
});

/** A table of so many rows, each of which says so. */
function write(path: string, rows: number): string {
  mkdirSync(dirname(path), { recursive: true });
  if (path.endsWith('.parquet')) copyFileSync(parquetOf(rows), path);
  else writeFileSync(path, `text\n${`${rows} rows\n`.repeat(rows)}`);
  return path;
}

async function read(path: string): Promise<{ columns: readonly string[]; values: unknown[] }> {
  const source = await openSource(path);
  try {
    const rows: RawRow[] = [];
    for await (const page of source.rows(2)) rows.push(...page);
    return { columns: source.columns, values: rows.map(({ value }) => value) };
  } finally {
    await source.close();
  }
}

describe.each(['csv', 'tsv', 'parquet'])('of %s', (kind) => {
  const names = ['x[1]', 'x[!2]', 'x[0-9]', 'x*', 'x?', '*', '**', 'x[', 'x]', '[x]1', 'k=v', 'a\\b', "it's", '~'];
  test.each([...names, 'd[1]/x', 'd*/x', '**/x', 'split=train/x', '~/x'])('%s is read alone', async (name) => {
    const here = join(folder, kind, name.replaceAll('/', '-'));
    for (const decoy of ['x1', 'xx', 'ab', 'd1/x', 'dd/x', 'x']) write(join(here, `${decoy}.${kind}`), 2);
    const path = write(join(here, `${name}.${kind}`), 1);
    expect(await read(path)).toEqual({ columns: ['text'], values: [{ text: '1 rows' }] });
  });

  test('a name that cannot be said to the library is refused', async () => {
    const path = write(join(folder, `a\\b[1].${kind}`), 1);
    await expect(openSource(path)).rejects.toMatchObject({ code: 'path_not_usable', where: path });
  });

  test.each([1, 3])('with other rows than when it was opened (%i of 2) is an error', async (rows) => {
    const path = write(join(folder, `changing-${rows}.${kind}`), 2);
    const source = await openSource(path);
    write(path, rows);
    const pages = async (): Promise<void> => {
      for await (const page of source.rows(2)) expect(page.length).toBeGreaterThan(0);
    };
    await expect(pages()).rejects.toMatchObject({ code: 'data_changed', where: path });
    await source.close();
  });
});
