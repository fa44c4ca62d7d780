/** Tables that nobody should have written: read, or refused by a UserError. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Choices, fuzz, fuzzRuns, mutated } from '../../test/fuzz.ts';
import { openSource } from './read.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'anneal-table-fuzz-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

async function readEverything(path: string): Promise<void> {
  const source = await openSource(path);
  try {
    await source.page(source.rowCount >> 1, 2);
    let rows = 0;
    for await (const page of source.rows(3)) rows += page.length;
    expect(rows).toBe(source.rowCount);
  } finally {
    await source.close();
  }
}

const pieces = [
  [',', ';', '\t', '|', '"', '""', "'", '\\', '\n', '\r\n', '\r', '\u0000', '\xef\xbb\xbf', '\xff', '\xe4', ' '],
  ['a', 'A', 'text', 'column0', 'whole_row', '1e999', '-', 'null', '[1]', '{"a":1}', '%s', '--', '$1', '*'],
].flat();
const whole = Buffer.from('prompt,completion\n"a, ""b""",c\n1,2\n"two\nlines",é\n');

function csvOf(choose: Choices): Buffer {
  if (choose.below(2) === 0) return mutated(whole, choose, pieces);
  return Buffer.from(Array.from({ length: choose.below(40) }, () => choose.of(pieces)).join(''), 'latin1');
}

test('csv', { timeout: 100_000_000 }, async () => {
  const outcomes = await fuzz('csv', fuzzRuns(60), async (choose) => {
    const path = join(folder, `data.${choose.of(['csv', 'tsv'])}`);
    writeFileSync(path, csvOf(choose));
    await readEverything(path);
  });
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['read', 'malformed_row', 'data_empty']));
});

test('parquet', { timeout: 100_000_000 }, async () => {
  const wholes = await parquetFiles();
  const outcomes = await fuzz('parquet', fuzzRuns(60), async (choose) => {
    const path = join(folder, 'data.parquet');
    writeFileSync(path, mutated(choose.of(wholes), choose, ['PAR1', '\u0000', '\xff\xff\xff\xff\x7f']));
    await readEverything(path);
  });
  expect(Object.keys(outcomes)).toEqual(expect.arrayContaining(['read', 'malformed_row']));
});

/** Of the kinds that data sets have: text, lists of structs, numbers; compressed and not, with and without a dictionary. */
async function parquetFiles(): Promise<Buffer[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const path = join(folder, 'whole.parquet');
  const files: Buffer[] = [];
  for (const options of ['compression uncompressed', 'compression snappy', 'compression zstd, parquet_version v2']) {
    await connection.run(`COPY (SELECT 'row ' || (i % 3) AS text, i AS number, i / 3 AS share, [{role: 'user', content: 'a' || i}]
      AS messages, CASE WHEN i > 5 THEN {x: i, y: NULL} END AS maybe FROM range(12) r(i)) TO '${path}' (format parquet, ${options})`);
    files.push(readFileSync(path));
  }
  connection.closeSync();
  instance.closeSync();
  return files;
}
