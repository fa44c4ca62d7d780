/** Removing a run: what is provably of a run, nothing that lies elsewhere, and nothing of a run that is being written. */
import { lstatSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';
import { UserError } from '../errors.ts';
import { assertIsRun, kindOf, runEntries } from './runFiles.ts';
import { lockRunToRemove } from './runLock.ts';

const known: ReadonlySet<string> = new Set([...runEntries.files, ...runEntries.folders]);

/** Bytes that removing the run would free, as its files say; links are not followed. */
export function sizeOfRun(path: string): number {
  let bytes = 0;
  for (const entry of readdirSync(path, { withFileTypes: true, recursive: true })) {
    const size = lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size;
    if (entry.isFile()) bytes += size ?? 0;
  }
  return bytes;
}

/**
 * Removes the run. It first takes another name, under which it is no run any more and, after a kill, is removed the next time.
 * @throws UserError `run_not_found`, `run_entry_foreign`, `run_in_use`, `run_not_removed`; the run is then as it was
 */
export function removeRun(path: string): void {
  const absolute = resolve(path);
  assertRemovable(absolute);
  const lock = lockRunToRemove(absolute);
  try {
    const removed = join(dirname(absolute), '.removed');
    removeLeftovers(removed);
    const aside = temporaryBeside(removed);
    renameSync(absolute, aside);
    rmSync(aside, { recursive: true });
  } catch (error) {
    lock.release();
    if (error instanceof UserError) throw error;
    throw new UserError({
      what: `the run cannot be removed (${(error as NodeJS.ErrnoException).code ?? String(error)})`,
      where: absolute,
      next: 'check the permissions of its folder and of the folder it is in',
      code: 'run_not_removed',
      cause: error,
    });
  }
}

/** It is a run, and holds nothing but what runs have. @throws UserError `run_not_found`, `run_entry_foreign` */
export function assertRemovable(path: string): void {
  if (kindOf(path) !== 'folder') {
    throw new UserError({
      what: 'this is no folder',
      where: path,
      next: 'name the run by its own path, not by a link to it',
      code: 'run_not_found',
    });
  }
  assertIsRun(path);

  const foreign = readdirSync(path).filter((name) => !known.has(name) && !isOurs(name));
  if (foreign.length === 0) return;
  throw new UserError({
    what: `${basename(path)} holds what no run has: ${foreign.slice(0, 5).join(', ')}`,
    where: path,
    next: 'move it elsewhere first, or remove the folder yourself',
    code: 'run_entry_foreign',
  });
}

/** Left by a process that was killed. */
function isOurs(name: string): boolean {
  return /\.partial$|^run\.lock\.takeover$|^remarks\.json\.lock(\.takeover)?$|^recipe\.resolved\.next\.yaml$/.test(
    name,
  );
}
