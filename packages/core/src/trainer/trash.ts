/** Runs that were removed and can be brought back: they lie beside the others in a hidden folder, until it is emptied. */
import { existsSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { UserError } from '../errors.ts';
import { assertRemovable } from './removeRun.ts';
import { kindOf } from './runFiles.ts';
import { lockName, lockRunToRemove } from './runLock.ts';

const trashName = '.anneal-trash';

export interface TrashedRun {
  id: string;
  /** In the trash. */
  path: string;
  /** ISO 8601, UTC. */
  removed: string;
}

/** What was removed below `root`, the folder of runs, oldest first. */
export function listTrash(root: string): TrashedRun[] {
  const folder = join(resolve(root), trashName);
  if (kindOf(folder) !== 'folder') return [];
  return readdirSync(folder)
    .flatMap((name) => {
      const [, time, id] = /^(\d{13})-(.+)$/.exec(name) ?? [];
      const path = join(folder, name);
      if (time === undefined || id === undefined || kindOf(join(path, 'events.jsonl')) !== 'file') return [];
      return [{ id, path, removed: new Date(Number(time)).toISOString() }];
    })
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Returns where it lies now. @throws UserError as `removeRun` */
export function trashRun(path: string): string {
  const absolute = resolve(path);
  assertRemovable(absolute);
  const folder = join(dirname(absolute), trashName);
  makeFolder(folder);
  const lock = lockRunToRemove(absolute);
  const target = join(folder, `${Date.now()}-${basename(absolute)}`);
  try {
    renameSync(absolute, target);
  } catch (error) {
    lock.release();
    throw notMoved(absolute, error);
  }
  rmSync(join(target, lockName), { force: true }); // it went along
  return target;
}

/** Returns where it lies again. @param path in the trash @throws UserError `run_exists`, `run_not_removed` */
export function restoreRun({ id, path }: TrashedRun): string {
  const target = join(dirname(dirname(path)), id);
  if (existsSync(target)) {
    throw new UserError({
      what: 'there is a run of this name again',
      where: target,
      next: 'remove or rename that one first',
      code: 'run_exists',
    });
  }
  try {
    renameSync(path, target);
  } catch (error) {
    throw notMoved(path, error);
  }
  removeIfEmpty(dirname(path));
  return target;
}

/** @param folder of trash */
export function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // Others lie there.
  }
}

function notMoved(path: string, cause: unknown): UserError {
  return new UserError({
    what: `the run cannot be moved (${(cause as NodeJS.ErrnoException).code ?? String(cause)})`,
    where: path,
    next: 'check the permissions of its folder and of the folder it is in',
    code: 'run_not_removed',
    cause,
  });
}
