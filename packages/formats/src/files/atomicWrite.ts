/** Writing so that a crash at any moment leaves the old content or the new one, never half of it. */
import {
  closeSync,
  constants,
  copyFileSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  linkSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { UserError } from '../errors.ts';
import { diskFull } from './diskFull.ts';
import { makeFolder } from './makeFolder.ts';
import { removeLeftovers, temporaryBeside } from './processOwner.ts';

/**
 * A file that appears under its name only when it is complete: written beside it under a temporary name (`*.partial`),
 * synced, renamed. Whatever happens before `commit` returns, an older file of that name stays as it was. What a killed
 * process left of an earlier attempt is removed.
 */
export class AtomicFile {
  readonly path: string;
  readonly #temporary: string;
  readonly #handle: FileHandle;
  #position = 0;

  private constructor(path: string, temporary: string, handle: FileHandle) {
    this.path = path;
    this.#temporary = temporary;
    this.#handle = handle;
  }

  static async create(path: string): Promise<AtomicFile> {
    const temporary = temporaryBeside(path);
    makeFolder(dirname(path));
    removeLeftovers(path);
    try {
      return new AtomicFile(path, temporary, await open(temporary, 'wx'));
    } catch (cause) {
      throw writeError(path, cause);
    }
  }

  /** Bytes written so far. */
  get position(): number {
    return this.#position;
  }

  async write(bytes: Uint8Array): Promise<void> {
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await this.#handle.write(bytes, done, Math.min(bytes.length - done, 1 << 30))).bytesWritten;
      }
    } catch (cause) {
      throw writeError(this.path, cause);
    }
    this.#position += bytes.length;
  }

  async commit(): Promise<void> {
    try {
      await this.#handle.sync();
      await this.#handle.close();
      await rename(this.#temporary, this.path);
      syncFolder(dirname(this.path));
    } catch (cause) {
      throw writeError(this.path, cause);
    }
  }

  /** Removes the temporary file. */
  async abort(): Promise<void> {
    await this.#handle.close();
    await rm(this.#temporary, { force: true });
  }
}

/** Runs `write` and commits; aborts when it throws. */
export async function writeAtomically(path: string, write: (file: AtomicFile) => Promise<void>): Promise<void> {
  const file = await AtomicFile.create(path);
  try {
    await write(file);
    await file.commit();
  } catch (error) {
    await file.abort();
    throw error;
  }
}

interface WriteOptions {
  /** Whether it survives a power cut. */
  sync: boolean;
  mode?: number;
}

/** Replaces the file at once: readers see the old text or the new. */
export function replaceFile(path: string, content: string | Uint8Array, options: WriteOptions): void {
  writeBeside(path, content, options, (temporary) => renameSync(temporary, path));
}

/** Makes a file that is whole from its beginning. False: something has this name, if only since a moment ago, and stays. */
export function createFile(path: string, content: string | Uint8Array, options: WriteOptions): boolean {
  return writeBeside(path, content, options, (temporary) => {
    try {
      linkOrCopy(temporary, path);
      return true;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
      throw error;
    } finally {
      rmSync(temporary);
    }
  });
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    copyFileSync(from, to, constants.COPYFILE_EXCL); // a disk without links
  }
}

/** @param place gives what was written its name */
function writeBeside<T>(
  path: string,
  content: string | Uint8Array,
  { sync, mode = 0o666 }: WriteOptions,
  place: (temporary: string) => T,
): T {
  const temporary = temporaryBeside(path);
  try {
    const file = openSync(temporary, 'wx', mode);
    try {
      writeFileSync(file, content);
      if (sync) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    const placed = place(temporary);
    if (sync) syncFolder(dirname(path));
    return placed;
  } catch (cause) {
    rmSync(temporary, { force: true });
    throw writeError(path, cause);
  }
}

/**
 * Appends to a file of lines, which is made where there is none: the whole line or, on a full disk, nothing. Half a line
 * that a crash or another process has left is ended first.
 */
export function appendLine(path: string, line: string, options: { mode?: number } = {}): void {
  try {
    const file = openSync(path, 'a+', options.mode ?? 0o666);
    try {
      appendTo(file, line);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw writeError(path, cause);
  }
}

function appendTo(file: number, line: string): void {
  const { size } = fstatSync(file);
  const last = Buffer.alloc(1);
  const isHalf = size > 0 && readSync(file, last, 0, 1, size - 1) === 1 && last.toString() !== '\n';
  const bytes = Buffer.from(`${isHalf ? '\n' : ''}${line}\n`);
  let written = 0;
  try {
    while (written < bytes.length) written += writeSync(file, bytes, written);
  } catch (cause) {
    // Unless another process has appended meanwhile.
    if (fstatSync(file).size === size + written) ftruncateSync(file, size);
    throw cause;
  }
}

/** Makes names created in or renamed into the folder survive a power failure. Windows cannot open folders and needs no such call. */
export function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/** Flushes every file and folder below `path`, and `path` itself, to the disk. */
export async function syncTree(path: string): Promise<void> {
  for (const entry of await readdir(path, { withFileTypes: true })) {
    const child = join(path, entry.name);
    if (entry.isDirectory()) await syncTree(child);
    else await syncFile(child);
  }
  syncFolder(path);
}

async function syncFile(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function writeError(path: string, cause: unknown): UserError {
  const full = diskFull(cause);
  if (full) {
    return new UserError({
      what: full,
      where: path,
      next: 'free some space and do it again; nothing that was there before is lost',
      code: 'disk_full',
      cause,
    });
  }
  return new UserError({
    what: `cannot be written (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`,
    where: path,
    next: 'check that the folder exists and may be written to',
    code: 'file_not_writable',
    cause,
  });
}
