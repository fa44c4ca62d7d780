import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { type FileHandle, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, relative } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { AtomicFile } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { stringify } from 'yaml';
import { formatBytes } from '../formatBytes.ts';
import { freeDisk } from '../freeDisk.ts';
import { type EditableRow, openLastRow, openRow, rowText } from './editableRow.ts';
import { openForReading } from './rowIndex.ts';
import { describeSource, type RowSource } from './types.ts';

/**
 * Where the versions of a folder's files lie. A recipe that names the folder reads what is in it, but nothing below: beside its
 * origin a version would be trained as well as that.
 */
const versionsFolder = 'versions';

/** What stays free on the disk. */
const reservedBytes = 1e9;
const chunkBytes = 4 << 20;

export interface RowEdit {
  readonly source: RowSource;
  /** SHA-256 of the row as whoever edits it has seen it. */
  readonly was: string;
  /** Null: the row goes. */
  readonly text: string | null;
  /** Who edits it. */
  readonly by: string | null;
}

export interface WriteOptions {
  readonly onProgress?: (written: number, total: number) => void;
  readonly signal?: AbortSignal;
}

/**
 * Writes the file with one row changed as a new version, `versions/<name>.v<n>.<extension>`, and beside it what it was made of. The
 * file itself is only read.
 * @returns the path of the version
 * @throws UserError where the row is another one by now, what is to stand there is no row, or there is no room
 */
export async function writeVersion({ source, was, text, by }: RowEdit, options: WriteOptions = {}): Promise<string> {
  const row = await openRow(source);
  if (row.sha256 !== was) throw changedMeanwhile(source);
  if (text === null && row.index.starts.length === 1) throw onlyRow(source);
  const replaced = text === null ? null : rowText(text, row);
  const told = { row: source.row, change: text === null ? 'removed' : 'edited', by };
  return copyAs(source, (size) => ({ range: rangeOf(row, text === null, size), text: replaced }), told, options);
}

export interface AddedRow {
  readonly file: string;
  readonly text: string;
  /** Who adds it. */
  readonly by: string | null;
}

/** As `writeVersion`, with a row more at the end. @throws UserError also where the file has no rows */
export async function writeVersionWith({ file, text, by }: AddedRow, options: WriteOptions = {}): Promise<string> {
  const last = await openLastRow(file);
  const { kind, place, index } = last;
  const added = rowText(text, last);
  const end = kind === 'lines' ? (index.ends[place] as number) : endOfText(last);
  const change: Change = { range: [end, end], text: `${kind === 'lines' ? '' : ','}\n${added}` };
  return copyAs(last.source, () => change, { change: 'added', by }, options);
}

/** What is to stand in the place of some bytes; null: nothing. */
interface Change {
  readonly range: readonly [number, number];
  readonly text: string | null;
}

async function copyAs(
  source: RowSource,
  changeOf: (size: number) => Change,
  { by, ...told }: { row?: number; change: string; by: string | null },
  options: WriteOptions,
): Promise<string> {
  const { size } = await stat(source.file);
  const path = nextVersion(source.file);
  makeFolder(dirname(path));
  if (size + reservedBytes > freeDisk(dirname(path))) throw noRoom(path, size);
  const origin = `${path.slice(0, -extname(path).length)}.origin.yaml`;
  const version = await AtomicFile.create(path);
  let isClaimed = false;
  try {
    const hashes = await copyChanged(source, changeOf(size), size, version, options);
    claim(origin, {
      file: basename(path),
      sha256: hashes.version,
      from: relative(dirname(path), source.file),
      from_sha256: hashes.origin,
      ...told,
      ...(by !== null && { by }),
      made: new Date().toISOString(),
    });
    isClaimed = true;
    await version.commit();
  } catch (error) {
    await version.abort();
    if (isClaimed) rmSync(origin, { force: true });
    throw error;
  }
  return path;
}

/** The bytes before the row, the row as it is to be, and the bytes after it; with the separator, where it goes. */
async function copyChanged(
  source: RowSource,
  { range: [start, end], text }: Change,
  size: number,
  version: AtomicFile,
  { onProgress, signal }: WriteOptions,
): Promise<{ origin: string; version: string }> {
  const [origin, made] = [createHash('sha256'), createHash('sha256')];
  const file = await openForReading(source.file);
  const write = async (bytes: Uint8Array) => {
    made.update(bytes);
    await version.write(bytes);
  };
  try {
    let at = 0;
    for await (const bytes of chunksOf(file)) {
      signal?.throwIfAborted();
      origin.update(bytes);
      const [before, after] = [Math.min(Math.max(start - at, 0), bytes.length), Math.max(0, end - at)];
      if (before > 0) await write(bytes.subarray(0, before));
      if (text !== null && start >= at && start < at + bytes.length) await write(Buffer.from(text));
      if (after < bytes.length) await write(bytes.subarray(Math.max(before, after)));
      at += bytes.length;
      onProgress?.(at, size);
    }
    if (at !== size) throw changedMeanwhile(source);
    if (text !== null && start === size) await write(Buffer.from(text));
  } finally {
    await file.close();
  }
  return { origin: origin.digest('hex'), version: made.digest('hex') };
}

/** The bytes that go. Of a row that is replaced white space at its end stays: a line may end in a carriage return. */
function rangeOf(row: EditableRow, isRemoved: boolean, size: number): [number, number] {
  const { kind, place, index } = row;
  const { starts, ends } = index;
  const [start, end] = [starts[place] as number, ends[place] as number];
  if (!isRemoved) return [start, endOfText(row)];
  if (kind === 'lines') return [start, Math.min(end + 1, size)];
  // Elements end at their comma, the last one at the bracket.
  return place + 1 < starts.length ? [start, starts[place + 1] as number] : [ends[place - 1] as number, end];
}

function endOfText({ place, index, text }: EditableRow): number {
  return (index.starts[place] as number) + Buffer.byteLength(text);
}

async function* chunksOf(file: FileHandle): AsyncGenerator<Buffer> {
  for (let at = 0; ; ) {
    const chunk = Buffer.alloc(chunkBytes);
    const { bytesRead } = await file.read(chunk, 0, chunkBytes, at);
    if (bytesRead === 0) return;
    yield chunk.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** `rows.jsonl` → `versions/rows.v2.jsonl`, of which the next is `versions/rows.v3.jsonl`. */
function nextVersion(path: string): string {
  const extension = extname(path);
  const isVersion = basename(dirname(path)) === versionsFolder;
  const folder = isVersion ? dirname(path) : join(dirname(path), versionsFolder);
  const stem = basename(path, extension).replace(isVersion ? /\.v\d+$/ : /$^/, '');
  const status = lstatSync(folder, { throwIfNoEntry: false });
  if (status && !status.isDirectory()) {
    throw new UserError({
      what: 'this is no folder, so the versions of the data cannot lie there',
      where: folder,
      next: 'rename it, or remove it',
      code: 'not_a_folder',
    });
  }
  const taken = (status ? readdirSync(folder) : []).flatMap((name) => {
    const number = name.startsWith(`${stem}.v`) && /^(\d+)\./.exec(name.slice(stem.length + 2))?.[1];
    return number ? [Number(number)] : [];
  });
  return join(folder, `${stem}.v${Math.max(1, ...taken) + 1}${extension}`);
}

/** Takes the number of the version: of two that are made at once, one is refused. */
function claim(path: string, origin: Record<string, unknown>): void {
  const text = `# What this version of a data set was made of: ${origin['from']}, which is as it was.\n${stringify(origin)}`;
  try {
    writeFileSync(path, text, { flag: 'wx', flush: true });
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'EEXIST') {
      rmSync(path, { force: true }); // a full disk leaves the beginning of it
      throw cause;
    }
    throw new UserError({
      what: 'another version was made at the same moment',
      where: path,
      next: 'try again',
      code: 'file_busy',
    });
  }
}

function changedMeanwhile(source: RowSource): UserError {
  return new UserError({
    what: 'the row is not what it was when it was opened: the file has changed',
    where: describeSource(source),
    next: 'open the row again',
    code: 'data_changed',
  });
}

function onlyRow(source: RowSource): UserError {
  return new UserError({
    what: 'this is the only row: a data set without rows trains nothing',
    where: describeSource(source),
    next: 'edit it instead',
    code: 'last_row',
  });
}

function noRoom(path: string, size: number): UserError {
  return new UserError({
    what: `a version has about ${formatBytes(size)}, and the disk has too little room beside the ${formatBytes(reservedBytes)} that are kept free`,
    where: path,
    next: 'make room on the disk, or put earlier versions elsewhere',
    code: 'disk_full',
  });
}
