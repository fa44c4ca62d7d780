/** Tables that nobody should have written: read, or refused by a UserError. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { type Choices, fuzz, mutated } from '../../test/fuzz.ts';
import { openSource } from './read.ts';
import type { RawRow } from './types.ts';

let folder: string;
beforeAll(() => {
  folder = temporaryFolder('table-fuzz');
});

async function readEverything(path: string): Promise<RawRow[]> {
  const source = await openSource(path);
  try {
    await source.page(source.rowCount >> 1, 2);
    const rows: RawRow[] = [];
    for await (const page of source.rows(3)) rows.push(...page);
    if (rows.length !== source.rowCount) throw new Error(`${rows.length} rows of ${source.rowCount}`);
    return rows;
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

/** A table as it ought to be written, and what it says. */
function wholeCsv({ below, of }: Choices): { bytes: Buffer; rows: Record<string, string>[]; extension: string } {
  const extension = of(['csv', 'tsv']);
  const delimiter = extension === 'tsv' ? '\t' : of([',', ';', '\t', '|']);
  const lineEnd = of(['\n', '\r\n']);
  const columns = ['prompt', 'completion', 'Text', 'whole_row', "it's", 'a "b"', 'x y', 'é'].slice(0, 2 + below(7));
  // What begins or ends with white space is quoted, or a reader may strip it.
  const quoted = (cell: string): string =>
    below(3) === 0 || /["\r\n;,|\t]|^\s|\s$|^$/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
  const texts = [
    'a',
    'B',
    ' ',
    '"',
    '""',
    "'",
    ',',
    ';',
    '|',
    '\t',
    '\n',
    '\r\n',
    '\\',
    'é😀',
    '1',
    'null',
    '#',
    '\\"',
  ];
  const cell = () => Array.from({ length: below(6) }, () => of(texts)).join('');
  const rows = Array.from({ length: 1 + below(12) }, () => Object.fromEntries(columns.map((name) => [name, cell()])));
  const lines = [columns, ...rows.map((row) => Object.values(row))].map((cells) => cells.map(quoted).join(delimiter));
  const mark = of(['', '\ufeff']);
  return { bytes: Buffer.from(mark + lines.join(lineEnd) + of(['', lineEnd])), rows, extension };
}

test('csv as written', { timeout: 100_000_000 }, async () => {
  await fuzz('csv as written', 60, { read: 0 }, async (choose) => {
    const { bytes, rows, extension } = wholeCsv(choose);
    const path = join(folder, `whole.${extension}`);
    writeFileSync(path, bytes);
    const read = await readEverything(path).catch((cause) => {
      throw new Error('a table without a mistake is refused', { cause });
    });
    // An empty field is read as null, which means the same.
    const said = JSON.stringify(
      read.map(({ value }) => value),
      (_, value: unknown) => value ?? '',
    );
    if (said !== JSON.stringify(rows)) throw new Error(`${said} is read of ${JSON.stringify(rows)}`);
  });
});

test('csv', { timeout: 100_000_000 }, async () => {
  await fuzz('csv', 60, { read: 0, malformed_row: 0, data_empty: 0 }, async (choose) => {
    const path = join(folder, `data.${choose.of(['csv', 'tsv'])}`);
    writeFileSync(path, csvOf(choose));
    await readEverything(path);
  });
});

test('parquet', { timeout: 100_000_000 }, async () => {
  const wholes = await parquetFiles();
  await fuzz('parquet', 60, { read: 0.1, table_unreadable: 0 }, async (choose) => {
    const path = join(folder, 'data.parquet');
    const original = choose.of(wholes);
    // The places of everything stand at the end: a file of another length is hardly ever read further.
    const isMoved = choose.below(2) === 0;
    const words = ['PAR1', '\u0000', '\xff\xff\xff\xff\x7f'];
    writeFileSync(path, isMoved ? mutated(original, choose, words) : flipped(original, choose));
    await readEverything(path);
  });
});

/** One to four bits. */
function flipped(original: Buffer, { below }: Choices): Buffer {
  const bytes = Buffer.from(original);
  for (let change = below(4); change >= 0; change--) {
    const at = below(bytes.length);
    bytes[at] = (bytes[at] as number) ^ (1 << below(8));
  }
  return bytes;
}

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
