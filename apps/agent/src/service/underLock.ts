import { setTimeout as pause } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import { ProcessLock } from '@anneal/core/processLock';

/** A change takes some milliseconds. */
const patienceMilliseconds = 3000;
const pauseMilliseconds = 10;

/**
 * Changes a file that other processes change, too: one after the other, each from what the one before left. Waiting for them
 * stops nothing else.
 * @throws UserError `file_busy`
 */
export async function underLock<T>(path: string, change: () => T): Promise<T> {
  const lock = await acquire(`${path}.lock`);
  try {
    return change();
  } finally {
    lock.release();
  }
}

async function acquire(path: string): Promise<ProcessLock> {
  const deadline = Date.now() + patienceMilliseconds;
  for (;;) {
    const lock = ProcessLock.tryAcquire(path);
    if (lock) return lock;
    if (Date.now() > deadline) break;
    await pause(pauseMilliseconds);
  }
  throw new UserError({
    what: 'another process is changing this file, and does not end',
    where: path,
    next: 'end the process that the file names, then try again',
    code: 'file_busy',
  });
}
