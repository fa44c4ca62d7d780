import { setTimeout as delay } from 'node:timers/promises';
import { ProcessLock } from '../processLock.ts';

const POLL_MILLISECONDS = 200;

/** Runs `work` while holding the lock at `path`, waiting for another process or call that holds it. */
export async function withLock<T>(
  path: string,
  { signal, onWait }: { signal?: AbortSignal | undefined; onWait?: () => void },
  work: () => Promise<T>,
): Promise<T> {
  let lock = ProcessLock.tryAcquire(path);
  for (let waited = false; !lock; waited = true) {
    if (!waited) onWait?.();
    await delay(POLL_MILLISECONDS, undefined, signal ? { signal } : {});
    lock = ProcessLock.tryAcquire(path);
  }
  try {
    return await work();
  } finally {
    lock.release();
  }
}
