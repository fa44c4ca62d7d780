import { renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';
import { UserError } from '../errors.ts';
import { ProcessLock } from '../processLock.ts';

/**
 * Removes a folder of the cache. It first takes another name: after a kill it is nothing that is found, and is cleared away the next time.
 * @param folder as of `cachedFolders` or `cachedDatasets`
 * @throws UserError `model_being_pulled`
 */
export function removeCached(folder: string): void {
  const lock = ProcessLock.tryAcquireToRemove(`${folder.replace(/\.partial-\w+$/, '')}.lock`);
  if (!lock) {
    throw new UserError({
      what: 'this is being downloaded',
      where: folder,
      next: 'wait for it, or cancel it first',
      code: 'model_being_pulled',
    });
  }
  try {
    const removed = join(dirname(folder), '.removed');
    removeLeftovers(removed);
    const aside = temporaryBeside(removed);
    renameSync(folder, aside);
    rmSync(aside, { recursive: true });
  } finally {
    lock.release();
  }
  for (const empty of [dirname(folder), dirname(dirname(folder))]) removeIfEmpty(empty);
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There are other revisions, or others of this owner.
  }
}
