import { existsSync } from 'node:fs';
import { UserError } from '@anneal/formats/errors';
import type { DuckDBConnection, DuckDBType } from '@duckdb/node-api';
import { readCsvHeader } from './csvHeader.ts';
import { refuseOtherThanText } from './fileContent.ts';
import { parseRow } from './rowJson.ts';
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
  // Loaded when a table is opened: 60 MB that no other command needs.
  const { DuckDBInstance } = await import('@duckdb/node-api');
  const { withoutFilledNulls } = await import('./filledNulls.ts');
  const instance = await DuckDBInstance.create(':memory:', {
    autoinstall_known_extensions: 'false',
    memory_limit: '1GB',
  });
  const connection = await instance.connect();
  // Some writers leave the mark away that says which bytes are text; bytes that are none are an error then.
  const table =
    extension === '.parquet' ? `read_parquet(${quoted(path)}, binary_as_string = true)` : csvTable(path, extension);
  const attempt = async <T>(read: () => Promise<T>): Promise<T> => {
    try {
      return await read();
    } catch (cause) {
      throw isNoText(cause) ? notText(path, cause, await binaryColumns(connection, path)) : tableError(path, cause);
    }
  };
  const query = (sql: string): Promise<unknown[][]> =>
    attempt(async () => (await connection.runAndReadAll(sql)).getRows());
  const close = async (): Promise<void> => {
    connection.closeSync();
    instance.closeSync();
  };
  try {
    const head = await attempt(() => connection.run(`SELECT * FROM ${table} LIMIT 0`));
    const columns = head.columnNames();
    const types = new Map(columns.map((name, i) => [name, head.columnTypes()[i] as DuckDBType]));
    const rowCount = Number((await query(`SELECT count(*) FROM ${table}`))[0]?.[0]);
    const whole = unlike(columns);
    const select = `SELECT to_json(${whole}) FROM ${table} AS ${whole}`;
    const rowOf = ([json]: readonly unknown[], i: number): RawRow => {
      const source = { file: path, row: i + 1 };
      const row = parseRow(withoutNan(String(json)), source);
      const fields = Object.entries(row.value).map(([name, value]) => {
        const type = types.get(name);
        return [name, type ? withoutFilledNulls(value, type) : value];
      });
      return { ...row, value: Object.fromEntries(fields) };
    };
    const page = async (offset: number, limit: number): Promise<RawRow[]> => {
      const found = await query(`${select} LIMIT ${Math.trunc(limit)} OFFSET ${Math.trunc(offset)}`);
      return found.map((row, i) => rowOf(row, offset + i));
    };
    async function* rows(pageRows: number): AsyncGenerator<RawRow[]> {
      let [found, count] = [[] as RawRow[], 0];
      const result = await attempt(() => connection.stream(select));
      const next = () => attempt(() => result.fetchChunk());
      for (let chunk = await next(); chunk !== null && chunk.rowCount > 0; chunk = await next()) {
        for (const row of chunk.getRows()) {
          found.push(rowOf(row, count++));
          if (found.length < pageRows) continue;
          yield found;
          found = [];
        }
      }
      if (found.length > 0) yield found;
    }
    return { path, columns, rowCount, page, rows, close };
  } catch (error) {
    await close();
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
function csvTable(path: string, extension: '.csv' | '.tsv'): string {
  const { columns, delimiter } = readCsvHeader(path, extension);
  const types = columns.map((name) => `${quoted(name)}: 'VARCHAR'`).join(', ');
  const dialect = `delim = ${quoted(delimiter)}, quote = '"', escape = '"', strict_mode = true`;
  return `read_csv(${quoted(path)}, auto_detect = false, header = true, columns = {${types}}, ${dialect})`;
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

const isNoText = (cause: unknown): boolean =>
  cause instanceof Error && cause.message.includes('Invalid string encoding found in Parquet file');

/** Those of which the file itself does not say that they hold text. */
async function binaryColumns(connection: DuckDBConnection, path: string): Promise<string[]> {
  const reader = await connection.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet(${quoted(path)})`);
  return reader.getRows().flatMap(([name, type]) => (String(type).includes('BLOB') ? [String(name)] : []));
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
  const reason = /^(?:Expected Number of Columns|Value with unterminated quote|Invalid unicode).*/m.exec(message)?.[0];
  return new UserError({
    what: `the table cannot be read: ${reason ?? message.split('\n')[0]}`,
    where: line === undefined ? path : `${path}:${line}`,
    next: path.endsWith('.parquet')
      ? 'download or write the file again'
      : 'repair the file: UTF-8, one kind of line end, a header, as many fields in every row, a text with a delimiter in "quotes", quotes in it doubled',
    code: 'malformed_row',
    cause,
  });
}
