import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { extname } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { refuseSpecialFile } from '@anneal/formats/files/regularFile';
import { refuseOtherThanText } from './fileContent.ts';
import { indexElements, indexLines, openForReading, type RowIndex } from './rowIndex.ts';
import { decodeRow, parseRow } from './rowJson.ts';
import { describeSource, type RowSource } from './types.ts';

/** A longer row is nothing that one edits by hand. */
const longestEdited = 256 << 10;

/** A row of a text file: where its bytes lie, and how rows are parted there. */
export interface EditableRow {
  readonly source: RowSource;
  readonly kind: 'lines' | 'list';
  /** Of plain text a line is a text, else JSON. */
  readonly isJson: boolean;
  /** Its place among the rows, from 0. */
  readonly place: number;
  readonly index: RowIndex;
  readonly text: string;
  /** Of its bytes. */
  readonly sha256: string;
}

/** @throws UserError for a file that is no text, a row that is not there, and one that cannot be told apart or is too long */
export function openRow(source: RowSource): Promise<EditableRow> {
  return openRowAt(source, (index) => placeOf(index, source));
}

/** The last row of the file, after which another one can be added. @throws UserError as `openRow`, and for a file without rows */
export function openLastRow(path: string): Promise<EditableRow> {
  return openRowAt({ file: path, row: 0 }, ({ lines }) => {
    if (lines.length > 0) return lines.length - 1;
    throw new UserError({
      what: 'the file has no rows, so there is none that a new one could be like',
      where: path,
      next: 'choose another file, or write a first row into this one',
      code: 'data_empty',
    });
  });
}

async function openRowAt({ file: path, row }: RowSource, choose: (index: RowIndex) => number): Promise<EditableRow> {
  refuseSpecialFile(path);
  const extension = extname(path).toLowerCase();
  if (!['.json', '.jsonl', '.ndjson', '.txt'].includes(extension)) {
    throw new UserError({
      what: `rows of a ${extension} file cannot be edited here`,
      where: row === 0 ? path : describeSource({ file: path, row }),
      next: 'edit it with a program for such tables, or write its rows as JSON Lines',
      code: 'row_not_editable',
    });
  }
  const file = await openForReading(path);
  try {
    refuseOtherThanText(path);
    const { start, isList } = await beginningOf(file, extension);
    const index = isList ? await indexElements(file, start, path) : await indexLines(file, start);
    const place = choose(index);
    const source = { file: path, row: index.lines[place] as number };
    const bytes = await readRow(file, index, place, source);
    const text = decodeRow(bytes, source);
    return {
      source,
      kind: isList ? 'list' : 'lines',
      isJson: extension !== '.txt',
      place,
      index,
      text: extension === '.txt' ? text.replace(/\r$/, '') : text.trimEnd(),
      sha256: createHash('sha256').update(bytes).digest('hex'),
    };
  } finally {
    await file.close();
  }
}

/** Where the first row may begin, and whether the rows are elements of a list: as `openSource` sees it. */
async function beginningOf(file: FileHandle, extension: string): Promise<{ start: number; isList: boolean }> {
  const head = Buffer.alloc(64);
  const { bytesRead } = await file.read(head, 0, head.length, 0);
  const start = head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf ? 3 : 0; // a byte order mark
  const isList = extension === '.json' && head.toString('latin1', start, bytesRead).trimStart().startsWith('[');
  return { start, isList };
}

function placeOf({ lines }: RowIndex, source: RowSource): number {
  const place = lines.indexOf(source.row);
  const isAlone = lines[place + 1] !== source.row;
  if (place >= 0 && isAlone) return place;
  throw new UserError({
    what:
      place < 0
        ? 'there is no row on this line'
        : 'several rows stand on this line, so nobody can tell which one is meant',
    where: describeSource(source),
    next: place < 0 ? 'look at the file again: it has changed' : 'write the file with one row a line',
    code: place < 0 ? 'row_not_found' : 'row_not_editable',
  });
}

async function readRow(
  file: FileHandle,
  { starts, ends }: RowIndex,
  place: number,
  source: RowSource,
): Promise<Buffer> {
  const [start, end] = [starts[place] as number, ends[place] as number];
  if (end - start > longestEdited) {
    throw new UserError({
      what: `the row has ${end - start} bytes, more than the ${longestEdited} that can be edited here`,
      where: describeSource(source),
      next: 'edit it with another program',
      code: 'row_not_editable',
    });
  }
  const bytes = Buffer.alloc(end - start);
  await file.read(bytes, 0, bytes.length, start);
  return bytes;
}

/**
 * The row as it is to stand in the file: on one line, its values as they were written.
 * @throws UserError `malformed_row` for what is no row of such a file
 */
export function rowText(text: string, { source, isJson }: Pick<EditableRow, 'source' | 'isJson'>): string {
  const malformed = (what: string) =>
    new UserError({
      what: `this cannot be a row: ${what}`,
      where: describeSource(source),
      next: isJson ? 'write one JSON object' : 'write one line of text',
      code: 'malformed_row',
    });
  if (Buffer.byteLength(text) > longestEdited) throw malformed(`it has more than ${longestEdited} bytes`);
  if (!text.isWellFormed()) throw malformed('it holds half a character');
  if (!isJson) {
    if (/[\r\n]/.test(text) || text.trim() === '') throw malformed('it is not one line');
    return text;
  }
  const { fault } = parseRow(text, source);
  if (fault !== undefined) throw malformed(fault);
  // A text in JSON holds no line break of its own, so each one here stands between values.
  return text.trim().replace(/\s*[\r\n]\s*/g, ' ');
}
