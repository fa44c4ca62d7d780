/**
 * What lies in a run directory, and opening it. A run may come from anywhere, so nothing in it is followed through a
 * link, waited for as a pipe, or read without a bound.
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { writeAtomically } from '@anneal/formats/files/atomicWrite';
import { diskFull } from '@anneal/formats/files/diskFull';
import { UserError } from '../errors.ts';

/** Every entry of a run directory, as docs/run-directory.md lists them. */
export const runEntries = {
  files: [
    'recipe.yaml',
    'recipe.resolved.yaml',
    'lock.json',
    'events.jsonl',
    'status.json',
    'samples.jsonl',
    'losses.bin',
    'judgements.jsonl',
    'remarks.json',
    'run.log',
    'run.lock',
  ],
  folders: ['data', 'checkpoints', 'answers', 'export', 'importance'],
  data: ['manifest.json', 'tokens.bin', 'rows.bin', 'dropped.jsonl'],
} as const;

/** Recipes and the like: the largest, a checkpoint's list of files, has some hundred bytes a file. */
const mostBytes = 16 << 20;

/** @throws UserError `run_not_found`, `run_not_readable`, `run_entry_foreign` */
export function assertIsRun(path: string): void {
  for (const name of runEntries.files) assertKind(path, name, 'file');
  for (const name of runEntries.folders) assertKind(path, name, 'folder');
  for (const name of runEntries.data) assertKind(path, join('data', name), 'file');
  if (kindOf(join(path, 'recipe.resolved.yaml')) && kindOf(join(path, 'events.jsonl'))) return;
  throw new UserError({
    what: 'this is not a run directory: recipe.resolved.yaml or events.jsonl is missing',
    where: path,
    next: 'list the runs with `anneal runs ls`',
    code: 'run_not_found',
  });
}

/** Of an entry, where it is there. @throws UserError `run_not_readable`, `run_entry_foreign` */
export function assertKind(run: string, name: string, wanted: 'file' | 'folder'): void {
  const path = join(run, name);
  const kind = kindOf(path);
  if (kind === undefined || kind === wanted) return;
  throw new UserError({
    what: `this is a ${kind}, and should be a ${wanted} of the run`,
    where: path,
    next:
      kind === 'link'
        ? 'put what it points at in its place: a run is not followed out of its folder (output_dir says where runs are kept)'
        : 'restore the run from a copy, or remove it',
    code: 'run_entry_foreign',
  });
}

/** Undefined when there is nothing. @throws UserError `run_not_readable` */
export function kindOf(path: string): 'file' | 'folder' | 'link' | 'pipe or device' | undefined {
  const status = readable(path, () => lstatSync(path, { throwIfNoEntry: false }));
  if (status === undefined) return undefined;
  if (status.isFile()) return 'file';
  if (status.isDirectory()) return 'folder';
  return status.isSymbolicLink() ? 'link' : 'pipe or device';
}

/** Opens a file of a run; the caller closes it. @throws UserError `run_not_readable`, `run_not_writable`, `disk_full`, `run_entry_foreign` */
export function openRunFile(path: string, flags: number = constants.O_RDONLY): number {
  // Windows knows neither flag; there assertIsRun alone has looked.
  const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  const isWritten = (flags & (constants.O_WRONLY | constants.O_RDWR)) !== 0;
  const asked = isWritten ? writable : readable;
  const file = asked(path, () => openSync(path, flags | O_NOFOLLOW | O_NONBLOCK, 0o644));
  if (fstatSync(file).isFile()) return file;
  closeSync(file);
  throw new UserError({
    what: 'this is no regular file, and should be one of the run',
    where: path,
    next: 'restore the run from a copy, or remove it',
    code: 'run_entry_foreign',
  });
}

/** The text of a small file of a run. @throws UserError `run_not_readable`, `run_entry_foreign`, `run_file_damaged` */
export function readRunFile(path: string): string {
  const file = openRunFile(path);
  try {
    const { size } = fstatSync(file);
    if (size > mostBytes) throw tooLarge(path, size, mostBytes);
    const bytes = Buffer.alloc(size);
    return readable(path, () => bytes.toString('utf8', 0, readSync(file, bytes, 0, size, 0)));
  } finally {
    closeSync(file);
  }
}

/**
 * Copies what a file of a run has now, whatever is appended meanwhile.
 * @throws UserError `run_not_readable`, `run_entry_foreign`, `run_file_damaged` for more than `most`, `disk_full`, `file_not_writable`
 */
export async function copyRunFile(path: string, to: string, most: number): Promise<void> {
  const file = openRunFile(path);
  try {
    const { size } = fstatSync(file);
    if (size > most) throw tooLarge(path, size, most);
    await writeAtomically(to, async (copy) => {
      const piece = Buffer.alloc(1 << 20);
      while (copy.position < size) {
        const wanted = Math.min(piece.length, size - copy.position);
        const read = readable(path, () => readSync(file, piece, 0, wanted, copy.position));
        if (read === 0) throw damaged(path, `it ends after ${copy.position} of ${size} bytes`);
        await copy.write(piece.subarray(0, read));
      }
    });
  } finally {
    closeSync(file);
  }
}

function tooLarge(path: string, size: number, most: number): UserError {
  return damaged(path, `${size} bytes, more than the ${most} such a file may have`);
}

export function damaged(path: string, what: string): UserError {
  return new UserError({
    what: `the file is damaged: ${what}`,
    where: path,
    next: 'restore the run from a copy, or start a new run',
    code: 'run_file_damaged',
  });
}

const NOT_WRITABLE: Readonly<Record<string, string>> = {
  EROFS: 'the run cannot be written: the disk is read-only',
  EACCES: 'the run cannot be written: it belongs to somebody else',
  EPERM: 'the run cannot be written: it is protected',
};

function writable<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    const full = diskFull(cause);
    const what = full ?? NOT_WRITABLE[(cause as NodeJS.ErrnoException).code ?? ''];
    if (what === undefined) return readable(path, () => raise(cause));
    throw new UserError({
      what,
      where: path,
      next: full
        ? 'free some space and run the same command again'
        : 'make its folder writable, or work on a copy of it',
      code: full ? 'disk_full' : 'run_not_writable',
      cause,
    });
  }
}

function raise(error: unknown): never {
  throw error;
}

function readable<T>(path: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined || error instanceof UserError) throw error;
    throw new UserError({
      what: `the run cannot be read (${code})`,
      where: path,
      next:
        code === 'EACCES' || code === 'EPERM' ? 'check its permissions' : 'restore the run from a copy, or remove it',
      code: 'run_not_readable',
      cause: error,
    });
  }
}
