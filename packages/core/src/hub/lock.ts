import { DatabaseSync } from 'node:sqlite';
import { setTimeout as delay } from 'node:timers/promises';

const SQLITE_BUSY = 5;
const POLL_MILLISECONDS = 200;

/**
 * Runs `work` while holding an exclusive lock on the file `path`, waiting for another process or call that holds it.
 * The lock is SQLite's own file lock: the operating system frees it when its holder dies, so none is ever stale.
 */
export async function withLock<T>(
  path: string,
  { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: () => void },
  work: () => Promise<T>,
): Promise<T> {
  const database = new DatabaseSync(path);
  try {
    for (let waited = false; !tryLock(database); waited = true) {
      if (!waited) onWait?.();
      await delay(POLL_MILLISECONDS, undefined, signal ? { signal } : {});
    }
    return await work();
  } finally {
    database.close();
  }
}

function tryLock(database: DatabaseSync): boolean {
  try {
    database.exec('BEGIN EXCLUSIVE');
    return true;
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) return false;
    throw error;
  }
}
