import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { UserError } from '../errors.ts';
import { diskFull } from './diskFull.ts';

/**
 * Makes a folder and those above it, where they are not there. Node's own recursive mkdir never returns where a folder
 * is there but refuses every name in it with ENOENT, as /proc does.
 * @param next what to do where it cannot be made
 * @throws UserError `folder_not_writable`, `disk_full`
 */
export function makeFolder(path: string, next = 'make the folder above it writable, or choose another place'): void {
  try {
    makeWithParents(path);
  } catch (cause) {
    throw notMade(path, next, cause);
  }
}

/** What would keep `makeFolder` from making it, as far as that can be told beforehand; null for nothing. */
export function obstacleTo(path: string, next: string): UserError | null {
  let there = resolve(path);
  try {
    while (!statSync(there, { throwIfNoEntry: false })) there = dirname(there);
    accessSync(there, constants.W_OK);
  } catch (cause) {
    return notMade(path, next, cause);
  }
  if (isFolder(there)) return null;
  return notMade(path, next, { code: there === resolve(path) ? 'EEXIST' : 'ENOTDIR' });
}

/** @param cause what making it failed with */
export function notMade(path: string, next: string, cause: unknown): UserError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException;
  const full = diskFull(cause);
  return new UserError({
    what: full ?? REASONS[code] ?? `this folder cannot be made (${code})`,
    where: path,
    next: full ? 'free some space and try again' : next,
    code: full ? 'disk_full' : 'folder_not_writable',
    cause,
  });
}

const REASONS: Readonly<Record<string, string>> = {
  EEXIST: 'something that is no folder has this name',
  ENOTDIR: 'something that is no folder stands above this one',
  EROFS: 'this folder cannot be made: the disk is read-only',
};

function makeWithParents(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (isFolder(path)) return;
    const parent = dirname(path);
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || isFolder(parent)) throw error;
    makeWithParents(parent);
    makeWithParents(path);
  }
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
