import type { FileHandle } from 'node:fs/promises';
import { extname } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { refuseSpecialFile } from '@anneal/formats/files/regularFile';
import { DATA_EXTENSIONS } from './dataFiles.ts';
import { adviceForTable, refuseOtherThanText, unpackerOf } from './fileContent.ts';
import { indexElements, indexLines, openForReading, type RowIndex } from './rowIndex.ts';
import { decodeRow, MAX_ROW, parseRow } from './rowJson.ts';
import { openTable } from './tableSource.ts';
import type { DataSource, RawRow, RowSource } from './types.ts';

/** Rows looked at to find out what a file holds. */
const SAMPLE = 100;

/**
 * Opens a file by its extension. A JSONL or JSON file is indexed by byte position, which keeps rows as they were written, gives every error
 * its line and makes paging independent of the file's size; DuckDB reads the tables (CSV, TSV, Parquet).
 * @param signal ends the indexing, which takes minutes of a very large file
 * @throws UserError
 */
export async function openSource(path: string, signal?: AbortSignal): Promise<DataSource> {
  refuseSpecialFile(path);
  const extension = extname(path).toLowerCase();
  let source: DataSource;
  switch (extension) {
    case '.csv':
    case '.tsv':
    case '.parquet':
      source = await openTable(path, extension);
      break;
    case '.json':
    case '.jsonl':
    case '.ndjson':
    case '.txt':
      source = await openText(path, extension, signal);
      break;
    default:
      throw new UserError({
        what: `files of the kind '${extension}' cannot be read as data`,
        where: path,
        next: adviceFor(path),
        code: 'data_kind_unknown',
      });
  }
  if (source.rowCount > 0) return source;
  await source.close();
  throw new UserError({
    what: 'the data file holds no rows',
    where: path,
    next: 'check how it was made',
    code: 'data_empty',
  });
}

function adviceFor(path: string): string {
  const command = unpackerOf(path);
  return command ? `unpack it first (${command})` : (adviceForTable(path) ?? `use one of ${DATA_EXTENSIONS.join(' ')}`);
}

async function openText(path: string, extension: string, signal: AbortSignal | undefined): Promise<DataSource> {
  const file = await openForReading(path);
  try {
    refuseOtherThanText(path);
    const head = Buffer.alloc(64);
    const { bytesRead } = await file.read(head, 0, head.length, 0);
    const start = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0; // a byte order mark
    // Many files called .json hold one object a line.
    const isList = extension === '.json' && head.toString('latin1', start, bytesRead).trimStart().startsWith('[');
    const index = isList ? await indexElements(file, start, path, signal) : await indexLines(file, start, signal);
    const parse =
      extension === '.txt'
        ? (text: string, source: RowSource): RawRow => ({ source, value: { text: text.replace(/\r$/, '') } })
        : parseRow;
    const page = async (offset: number, limit: number): Promise<RawRow[]> => {
      const last = Math.min(offset + limit, index.starts.length);
      const found: RawRow[] = [];
      for (let row = offset; row < last; ) {
        const length = (index.ends[row] as number) - (index.starts[row] as number);
        if (length > MAX_ROW) {
          found.push(tooLarge({ file: path, row: index.lines[row++] as number }, length));
          continue;
        }
        const { bytes, end } = await readRun(file, index, path, row, last);
        for (const from = index.starts[row] as number; row < end; row++) {
          const source = { file: path, row: index.lines[row] as number };
          const text = decodeRow(
            bytes.subarray((index.starts[row] as number) - from, (index.ends[row] as number) - from),
            source,
          );
          found.push(parse(text, source));
        }
      }
      return found;
    };
    const columns = new Set((await page(0, SAMPLE)).flatMap((row) => Object.keys(row.value)));
    const rowCount = index.starts.length;
    async function* rows(pageRows: number): AsyncGenerator<RawRow[]> {
      for (let offset = 0; offset < rowCount; offset += pageRows) yield await page(offset, pageRows);
    }
    const pick = async (offsets: readonly number[]) =>
      (await Promise.all(offsets.map((offset) => page(offset, 1)))).flat();
    return { path, columns: [...columns], rowCount, page, pick, rows, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Most bytes read at once, unless one row is longer. */
const RUN = 8 << 20;

/** The bytes of rows `first` … `end - 1`, as many as fit. */
async function readRun(
  file: FileHandle,
  { starts, ends, lines }: RowIndex,
  path: string,
  first: number,
  last: number,
): Promise<{ bytes: Buffer; end: number }> {
  const from = starts[first] as number;
  let end = first + 1;
  while (end < last && (ends[end] as number) - from <= RUN) end++;
  const length = (ends[end - 1] as number) - from;
  const where = `${path}:${lines[first]}`;
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await file.read(bytes, done, length - done, from + done);
    if (bytesRead === 0) {
      throw new UserError({
        what: 'the file became shorter while it was read',
        where,
        next: 'start again once it is written',
        code: 'file_changed',
      });
    }
    done += bytesRead;
  }
  return { bytes, end };
}

function tooLarge(source: RowSource, length: number): RawRow {
  const fault = `the row has ${length} bytes, more than the ${MAX_ROW} that one may have: split it into several rows`;
  return { source, value: {}, fault };
}
