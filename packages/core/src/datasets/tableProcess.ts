/**
 * DuckDB in a process of its own: a damaged Parquet file can end that process, and no other. Started by `tableDatabase.ts`.
 */
import {
  type DuckDBConnection,
  DuckDBInstance,
  type DuckDBResult,
  type DuckDBType,
  DuckDBTypeId,
} from '@duckdb/node-api';
import { answerRequests } from '../foreignProcess.ts';
import type { ColumnType } from './filledNulls.ts';

export type TableRequest =
  /** → null. A new connection, with nothing of what belonged to the last. */
  | { readonly kind: 'open'; readonly threads: number }
  /** → `Columns` of the result, which is not read. */
  | { readonly kind: 'columns'; readonly sql: string }
  /** → all rows of the result. */
  | { readonly kind: 'query'; readonly sql: string }
  /** → null. What `next` gives comes from here until another takes its place. */
  | { readonly kind: 'stream'; readonly sql: string }
  /** → some rows, none at the end. */
  | { readonly kind: 'next' };

export interface Columns {
  readonly names: readonly string[];
  readonly types: readonly ColumnType[];
}

let instance: DuckDBInstance | undefined;
let connection: DuckDBConnection;
let streamed: DuckDBResult | undefined;
let usedThreads = 0;
/** It refused something since it was last known to answer. */
let hasFailed = false;

async function open(threads: number): Promise<null> {
  if (instance) connection.closeSync();
  streamed = undefined;
  if (!instance || !(await isUsable(instance))) {
    instance?.closeSync();
    hasFailed = false;
    // It takes 14 ms. A file is read as it is now, not as it was for the last table.
    const options = {
      autoinstall_known_extensions: 'false',
      enable_external_file_cache: 'false',
      memory_limit: '1GB',
      threads: `${threads}`,
    };
    instance = await DuckDBInstance.create(':memory:', options);
    connection = await instance.connect();
  } else if (threads !== usedThreads) await connection.run(`SET threads = ${threads}`);
  usedThreads = threads;
  return null;
}

/** Connects. What DuckDB calls a fatal error leaves a database that answers nothing any more. */
async function isUsable(database: DuckDBInstance): Promise<boolean> {
  try {
    connection = await database.connect();
    if (hasFailed) await connection.run('SELECT 1');
    hasFailed = false;
    return true;
  } catch {
    return false;
  }
}

answerRequests(async (request: TableRequest): Promise<unknown> => {
  try {
    return await answerTo(request);
  } catch (error) {
    hasFailed = true;
    throw error;
  }
});

async function answerTo(request: TableRequest): Promise<unknown> {
  switch (request.kind) {
    case 'open':
      return await open(request.threads);
    case 'columns': {
      const result = await connection.run(request.sql);
      return { names: result.columnNames(), types: result.columnTypes().map(columnType) } satisfies Columns;
    }
    case 'query':
      return (await connection.runAndReadAll(request.sql)).getRows();
    case 'stream':
      streamed = await connection.stream(request.sql);
      return null;
    case 'next':
      return (await streamed?.fetchChunk())?.getRows() ?? [];
  }
}

function columnType(type: DuckDBType): ColumnType {
  switch (type.typeId) {
    case DuckDBTypeId.STRUCT: {
      const fields = type.entryNames.map((name, i) => [name, columnType(type.entryTypes[i] as DuckDBType)] as const);
      return { kind: 'struct', fields: Object.fromEntries(fields) };
    }
    case DuckDBTypeId.LIST:
    case DuckDBTypeId.ARRAY:
      return { kind: 'list', item: columnType(type.valueType) };
    case DuckDBTypeId.MAP:
      return { kind: 'map', item: columnType(type.valueType) };
    default:
      return { kind: 'other' };
  }
}
