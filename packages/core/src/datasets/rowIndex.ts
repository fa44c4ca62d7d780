import { type FileHandle, open } from 'node:fs/promises';
import { UserError } from '@anneal/formats/errors';

/** Byte ranges of the rows of a text file, with the line each starts on: 20 bytes a row, the file itself stays on disk. */
export interface RowIndex {
  readonly starts: Float64Array;
  readonly ends: Float64Array;
  /** From 1. */
  readonly lines: Uint32Array;
}

const CHUNK = 4 << 20;
const [NEW_LINE, BLANK, QUOTE, BACKSLASH, COMMA] = [0x0a, 0x20, 0x22, 0x5c, 0x2c];
const [TAB, RETURN] = [0x09, 0x0d];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** A row a line; lines of white space are none. 1 GB takes about half a second. */
export async function indexLines(file: FileHandle, start: number, signal?: AbortSignal): Promise<RowIndex> {
  const rows = new RowList();
  let [lineStart, line, isBlank] = [start, 1, true];
  const size = await readChunks(file, start, signal, (chunk, at) => {
    for (let from = 0; from < chunk.length; ) {
      const end = chunk.indexOf(NEW_LINE, from);
      const to = end < 0 ? chunk.length : end;
      if (isBlank) isBlank = isWhiteSpace(chunk, from, to);
      if (end < 0) break;
      if (!isBlank) rows.push(lineStart, at + end, line);
      [lineStart, line, isBlank] = [at + end + 1, line + 1, true];
      from = end + 1;
    }
  });
  if (!isBlank) rows.push(lineStart, size, line);
  return rows.finish();
}

/** The elements of a JSON file whose root is a list. Whether each is valid JSON shows when it is read. */
export async function indexElements(
  file: FileHandle,
  start: number,
  path: string,
  signal?: AbortSignal,
): Promise<RowIndex> {
  const rows = new RowList();
  let [depth, line, inString, escaped] = [0, 1, false, false];
  let element: { start: number; line: number } | null = null;
  let closed = false;
  const size = await readChunks(file, start, signal, (chunk, at) => {
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i] as number;
      if (byte === NEW_LINE) line++;
      if (inString) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inString = false;
        continue;
      }
      if (byte <= BLANK) continue;
      if (closed) throw notAList(path, line, 'something follows the list');
      if (depth === 1 && (byte === COMMA || byte === CLOSE_LIST)) {
        if (element !== null) rows.push(element.start, at + i, element.line);
        element = null;
      } else if (depth === 1 && element === null) element = { start: at + i, line };
      if (byte === QUOTE) inString = true;
      else if (byte === OPEN_LIST || byte === OPEN_OBJECT) depth++;
      else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth--;
      closed = depth === 0;
    }
  });
  if (!closed && size > start) throw notAList(path, line, 'the list is not closed: the file is cut off');
  return rows.finish();
}

/** Calls `visit` with every chunk and its position. @returns the size of the file */
async function readChunks(
  file: FileHandle,
  start: number,
  signal: AbortSignal | undefined,
  visit: (chunk: Buffer, at: number) => void,
): Promise<number> {
  const buffer = Buffer.allocUnsafe(CHUNK);
  for (let at = start; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer, 0, CHUNK, at);
    if (bytesRead === 0) return at;
    visit(buffer.subarray(0, bytesRead), at);
    at += bytesRead;
  }
}

function isWhiteSpace(chunk: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i++) {
    const byte = chunk[i] as number;
    if (byte !== BLANK && (byte < TAB || byte > RETURN)) return false;
  }
  return true;
}

function notAList(path: string, line: number, what: string): UserError {
  return new UserError({
    what: `not readable as a list of rows: ${what}`,
    where: `${path}:${line}`,
    next: 'write the file again; a .json file holds one list of objects, a .jsonl file one object a line',
    code: 'data_not_a_list',
  });
}

class RowList {
  #count = 0;
  #starts = new Float64Array(1024);
  #ends = new Float64Array(1024);
  #lines = new Uint32Array(1024);

  push(start: number, end: number, line: number): void {
    if (this.#count === this.#starts.length) {
      this.#starts = grown(this.#starts, Float64Array);
      this.#ends = grown(this.#ends, Float64Array);
      this.#lines = grown(this.#lines, Uint32Array);
    }
    this.#starts[this.#count] = start;
    this.#ends[this.#count] = end;
    this.#lines[this.#count] = line;
    this.#count++;
  }

  finish(): RowIndex {
    return {
      starts: this.#starts.subarray(0, this.#count),
      ends: this.#ends.subarray(0, this.#count),
      lines: this.#lines.subarray(0, this.#count),
    };
  }
}

function grown<T extends Float64Array | Uint32Array>(array: T, Type: new (length: number) => T): T {
  const larger = new Type(array.length * 2);
  larger.set(array);
  return larger;
}

export async function openForReading(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (cause) {
    throw new UserError({
      what: 'the data file cannot be opened',
      where: path,
      next: 'check the path; a relative one starts at the recipe',
      code: 'file_not_found',
      cause,
    });
  }
}
