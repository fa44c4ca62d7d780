/** Reading what is asked about: texts as a whole, and rows of data files. */
import { readdirSync, readFileSync, type Stats, statSync } from 'node:fs';
import { extname, join, posix } from 'node:path';
import { refuseSpecialFile } from '@anneal/formats/files/regularFile';
import { DATA_EXTENSIONS } from '../datasets/dataFiles.ts';
import { refuseOtherThanText } from '../datasets/fileContent.ts';
import { openSource } from '../datasets/read.ts';
import { UserError } from '../errors.ts';
import { folderBeside } from './folder.ts';
import type { SourceOptions } from './options.ts';

export interface Document {
  /** As the recipe names it, with the path below a folder. */
  readonly source: string;
  /** Of a data file: its line or record, from 1; null for a text. */
  readonly row: number | null;
  readonly text: string;
}

export interface ReadDocuments {
  readonly documents: Document[];
  /** Files of folders that are no documents. */
  readonly passedOver: string[];
  /** Documents without a word in them. */
  readonly empty: string[];
}

const TEXTS = ['.md', '.markdown', '.txt'];
/** All chunks are held in memory while they are asked about. */
const MOST_BYTES = 1 << 30;
const PAGE_ROWS = 256;

/** @throws UserError */
export async function readDocuments(sources: readonly SourceOptions[], output: string): Promise<ReadDocuments> {
  const documents: Document[] = [];
  const passedOver: string[] = [];
  const empty: string[] = [];
  let bytes = 0;
  for (const source of sources) {
    for (const file of filesOf(source, output, passedOver)) {
      for await (const { row, text } of textsOf(file.path, source.field)) {
        bytes += Buffer.byteLength(text);
        if (bytes > MOST_BYTES) throw tooMuch(source.path);
        if (/\S/.test(text)) documents.push({ source: file.name, row, text });
        else empty.push(row === null ? file.name : `${file.name}:${row}`);
      }
    }
  }
  if (documents.length > 0) return { documents, passedOver, empty };
  throw new UserError({
    what: 'there is no text in the sources',
    where: sources.map(({ path }) => path).join(', '),
    next: `name documents (${TEXTS.join(' ')}) or data files (${dataExtensions.join(' ')})`,
    code: 'sources_empty',
  });
}

const dataExtensions = DATA_EXTENSIONS.filter((extension) => !TEXTS.includes(extension));

/** The files of a source by name, those of folders in it included. Links, hidden files and what we write ourselves are passed over. */
function* filesOf(
  { path, name }: SourceOptions,
  output: string,
  passedOver: string[],
): Generator<{ path: string; name: string }> {
  if (!statusOf(path).isDirectory()) return yield { path, name };
  const own = [output, folderBeside(output)];
  const entries = readable(path, () => readdirSync(path, { withFileTypes: true }));
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const inner = { path: join(path, entry.name), name: posix.join(name, entry.name) };
    const extension = extname(entry.name).toLowerCase();
    if (entry.name.startsWith('.') || entry.isSymbolicLink() || own.includes(inner.path)) passedOver.push(inner.name);
    else if (entry.isDirectory()) yield* filesOf({ ...inner, field: '' }, output, passedOver);
    else if (TEXTS.includes(extension) || dataExtensions.includes(extension as never)) yield inner;
    else passedOver.push(inner.name);
  }
}

/** What a source is: a file or a folder. @throws UserError `file_not_found` `file_not_readable` */
export function statusOf(path: string): Stats {
  const status = readable(path, () => statSync(path, { throwIfNoEntry: false }));
  if (status !== undefined) return status;
  throw new UserError({
    what: 'no such document or folder',
    where: path,
    next: 'check the path; a relative one starts at the recipe',
    code: 'file_not_found',
  });
}

/** As above, of data files only. */
export function* dataFilesOf(
  source: SourceOptions,
  output: string,
  passedOver: string[],
): Generator<{ path: string; name: string }> {
  for (const file of filesOf(source, output, passedOver)) {
    if (dataExtensions.includes(extname(file.path).toLowerCase() as never)) yield file;
    else passedOver.push(file.name);
  }
}

async function* textsOf(path: string, field: string): AsyncGenerator<Pick<Document, 'row' | 'text'>> {
  if (TEXTS.includes(extname(path).toLowerCase())) return yield { row: null, text: readWhole(path) };
  const data = await openSource(path);
  try {
    for await (const page of data.rows(PAGE_ROWS)) {
      for (const { source, value } of page) {
        const text = value[field];
        if (text === undefined) throw noSuchField(path, source.row, field, Object.keys(value));
        if (typeof text !== 'string' && text !== null) {
          throw new UserError({
            what: `the column '${field}' holds no text`,
            where: `${path}:${source.row}`,
            next: 'name a column of texts with `field`',
            code: 'source_field_wrong',
          });
        }
        yield { row: source.row, text: text ?? '' };
      }
    }
  } finally {
    await data.close();
  }
}

function readWhole(path: string): string {
  const bytes = readable(path, () => {
    if ((refuseSpecialFile(path)?.size ?? 0) > MOST_BYTES) throw tooMuch(path);
    refuseOtherThanText(path);
    return readFileSync(path);
  });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError({
      what: 'the document is not valid UTF-8',
      where: path,
      next: 'convert it to UTF-8 (iconv -t UTF-8)',
      code: 'invalid_utf8',
      cause,
    });
  }
}

function readable<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (cause instanceof UserError) throw cause;
    throw new UserError({
      what: `this cannot be read (${(cause as NodeJS.ErrnoException).code})`,
      where: path,
      next: 'check its permissions, or name other sources',
      code: 'file_not_readable',
      cause,
    });
  }
}

function noSuchField(path: string, row: number, field: string, columns: readonly string[]): UserError {
  return new UserError({
    what: `the row has no column '${field}', but ${columns.slice(0, 12).join(', ') || 'none at all'}`,
    where: `${path}:${row}`,
    next: 'name the column with the text of a document: `field` of the source',
    code: 'source_field_wrong',
  });
}

function tooMuch(path: string): UserError {
  return new UserError({
    what: `the sources hold more than ${MOST_BYTES} bytes of text`,
    where: path,
    next: 'make several recipes, each with a part of them',
    code: 'sources_too_large',
  });
}
