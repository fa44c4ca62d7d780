import { existsSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { type CsvHeader, readCsvHeader } from './csvHeader.ts';
import { refuseOtherThanText } from './fileContent.ts';
import { withoutFilledNulls } from './filledNulls.ts';
import { MAX_ROW, parseRow } from './rowJson.ts';
import { TableDatabase } from './tableDatabase.ts';
import type { Columns, TableRequest } from './tableProcess.ts';
import type { DataSource, RawRow } from './types.ts';

/**
 * Tables through DuckDB, each row as a JSON object. CSV fields stay text: what looks like a number or a date was written by a person.
 * @throws UserError
 */
export async function openTable(path: string, extension: '.csv' | '.tsv' | '.parquet'): Promise<DataSource> {
  if (!existsSync(path)) {
    throw new UserError({
      what: 'no such data file',
      where: path,
      next: 'check the path; a relative one starts at the recipe',
      code: 'file_not_found',
    });
  }
  if (extension !== '.parquet') refuseOtherThanText(path);
  // Some writers leave the mark away that says which bytes are text; bytes that are none are an error then.
  const header = extension === '.parquet' ? null : readCsvHeader(path, extension);
  const table = header ? csvTable(path, header) : parquetTable(path, 'binary_as_string = true');
  const database = await TableDatabase.open(statSync(path).size);
  const ask = async (request: TableRequest): Promise<unknown> => {
    try {
      return await database.ask(request);
    } catch (cause) {
      throw isNoText(cause) ? notText(path, cause, await binaryColumns(database, path)) : tableError(path, cause);
    }
  };
  const query = async (sql: string): Promise<unknown[][]> => (await ask({ kind: 'query', sql })) as unknown[][];
  try {
    // Those of CSV are text, under the names that it is read with.
    const head = header
      ? { names: header.columns, types: [] }
      : ((await ask({ kind: 'columns', sql: `SELECT * FROM ${table} LIMIT 0` })) as Columns);
    const columns = head.names;
    const types = new Map(columns.map((name, i) => [name, head.types[i]]));
    const binary = header ? [] : await binaryColumns(database, path);
    const rowCount = Number((await query(`SELECT count(*) FROM ${table}`))[0]?.[0]);
    const whole = unlike(columns);
    const select = `SELECT to_json(${whole}) FROM ${table} AS ${whole}`;
    const rowOf = ([json]: readonly unknown[], i: number): RawRow => {
      const source = { file: path, row: i + 1 };
      const row = parseRow(withoutNan(String(json)), source);
      // Letters of UTF-16 are bytes of UTF-8, too, each beside a zero.
      const wide = zero.test(String(json))
        ? binary.filter((name) => zero.test(JSON.stringify(row.value[name] ?? null)))
        : [];
      if (wide.length > 0) throw notText(path, undefined, wide);
      const fields = Object.entries(row.value).map(([name, value]) => {
        const type = types.get(name);
        return [name, type ? withoutFilledNulls(value, type) : value];
      });
      return { ...row, value: Object.fromEntries(fields) };
    };
    const page = async (offset: number, limit: number): Promise<RawRow[]> => {
      const found = await query(`${select} LIMIT ${Math.trunc(limit)} OFFSET ${Math.trunc(offset)}`);
      requireCount(path, found.length, Math.max(0, Math.min(limit, rowCount - offset)));
      return found.map((row, i) => rowOf(row, offset + i));
    };
    // In one pass: a page far down costs as much as all rows before it.
    const numbered =
      extension === '.parquet' && !columns.some((name) => name.toLowerCase() === 'file_row_number')
        ? `SELECT ${whole} AS picked, file_row_number AS place FROM ${table} AS ${whole}`
        : `SELECT ${whole} AS picked, row_number() OVER () - 1 AS place FROM ${table} AS ${whole}`;
    const pick = async (offsets: readonly number[]): Promise<RawRow[]> => {
      const places = offsets.map(Math.trunc).join(', ');
      const found = await query(`SELECT to_json(picked), place::DOUBLE FROM (${numbered}) WHERE place IN (${places})`);
      requireCount(path, found.length, offsets.length);
      return found.map((row) => rowOf(row, Number(row[1])));
    };
    async function* rows(pageRows: number): AsyncGenerator<RawRow[]> {
      let [found, count] = [[] as RawRow[], 0];
      await ask({ kind: 'stream', sql: select });
      const next = async (): Promise<unknown[][]> => (await ask({ kind: 'next' })) as unknown[][];
      for (let read = await next(); read.length > 0; read = await next()) {
        for (const row of read) {
          found.push(rowOf(row, count++));
          if (found.length < pageRows) continue;
          yield found;
          found = [];
        }
      }
      requireCount(path, count, rowCount);
      if (found.length > 0) yield found;
    }
    return { path, columns, rowCount, page, pick, rows, close: async () => database.close() };
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * DuckDB writes floats that JSON has no word for as they are: NaN, which is how pandas marks a value that is missing, becomes null;
 * infinity a number as large, which drops the row.
 */
function withoutNan(json: string): string {
  if (!/[:[,](?:NaN|-?Infinity)/.test(json)) return json;
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|NaN|Infinity/g, (part) =>
    part === 'NaN' ? 'null' : part === 'Infinity' ? '1e999' : part,
  );
}

/** Without detection: rows that do not have the header's columns are an error with their line. */
function csvTable(path: string, { columns, delimiter }: CsvHeader): string {
  const types = columns.map((name) => `${quoted(name)}: 'VARCHAR'`).join(', ');
  const dialect = `delim = ${quoted(delimiter)}, quote = '"', escape = '"', strict_mode = true`;
  const sizes = `max_line_size = ${MAX_ROW}, buffer_size = ${2 * MAX_ROW}`;
  return `read_csv(${thisFile(path)}, auto_detect = false, header = true, columns = {${types}}, ${dialect}, ${sizes})`;
}

function parquetTable(path: string, options: string): string {
  return `read_parquet(${thisFile(path)}, ${options})`;
}

/**
 * DuckDB reads a path as a pattern of files, `name=value` of a folder as a column, and `~` or `s3://` at its beginning as another place.
 * In brackets a sign of a pattern means itself; a backslash beside one cannot be written.
 * @returns the first arguments of a reader, by which it reads this file alone as it is
 */
function thisFile(path: string): string {
  if (/[*?[]/.test(path) && path.includes('\\')) {
    throw new UserError({
      what: 'a table cannot be read whose path has a backslash and one of * ? [',
      where: path,
      next: 'rename the file or its folder',
      code: 'path_not_usable',
    });
  }
  return `${quoted(resolve(path).replaceAll(/[*?[]/g, '[$&]'))}, hive_partitioning = false`;
}

/** @throws UserError `data_changed` */
function requireCount(path: string, read: number, expected: number): void {
  if (read === expected) return;
  throw new UserError({
    what: `${read} rows were read where the table had ${expected} when it was opened`,
    where: path,
    next: 'start again once nothing writes to the file; if nothing does, download or write it again',
    code: 'data_changed',
  });
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A name for the whole row: DuckDB would take a column of that name for it, and tells no case. */
function unlike(columns: readonly string[]): string {
  const taken = new Set(columns.map((column) => column.toLowerCase()));
  let name = 'whole_row';
  while (taken.has(name)) name += '_';
  return name;
}

/** As JSON writes it, and not the characters that spell it. */
const zero = /(?<!\\)(?:\\\\)*\\u0000/;

const isNoText = (cause: unknown): boolean =>
  cause instanceof Error && cause.message.includes('Invalid string encoding found in Parquet file');

/** Those of which the file itself does not say that they hold text. */
async function binaryColumns(database: TableDatabase, path: string): Promise<string[]> {
  const sql = `DESCRIBE SELECT * FROM ${parquetTable(path, 'binary_as_string = false')}`;
  const rows = (await database.ask({ kind: 'query', sql })) as unknown[][];
  return rows.flatMap(([name, type]) => (String(type).includes('BLOB') ? [String(name)] : []));
}

function notText(path: string, cause: unknown, columns: readonly string[]): UserError {
  const which = columns.length > 0 ? `the column ${columns.map((name) => `'${name}'`).join(' or ')}` : 'a text column';
  return new UserError({
    what: `${which} holds bytes that are not UTF-8 text`,
    where: path,
    next: 'write the file again with text in its columns, and without columns of images or sounds',
    code: 'invalid_utf8',
    cause,
  });
}

function tableError(path: string, cause: unknown): UserError {
  const message = cause instanceof Error ? cause.message : String(cause);
  const line = /\bLine: (\d+)/.exec(message)?.[1];
  const reason =
    /^(?:Expected Number of Columns|Value with unterminated quote|Invalid unicode|Maximum line size).*/m.exec(
      message,
    )?.[0];
  return new UserError({
    what: `the table cannot be read: ${reason ?? message.split('\n')[0]}`,
    where: line === undefined ? path : `${path}:${line}`,
    next: path.endsWith('.parquet')
      ? 'download or write the file again'
      : 'repair the file: UTF-8, one kind of line end, a header, as many fields in every row, a text with a delimiter in "quotes", quotes in it doubled',
    code: line === undefined ? 'table_unreadable' : 'malformed_row',
    cause,
  });
}
