/** One process at a time writes a run. */
import { join } from 'node:path';
import type { ProcessOwner } from '@anneal/formats/files/processOwner';
import { UserError } from '../errors.ts';
import { lockOwner, ProcessLock } from '../processLock.ts';

export type RunOwner = ProcessOwner;

export const lockName = 'run.lock';

/** Takes the lock of the run, also from an owner that is gone. @throws UserError `run_in_use` */
export function lockRun(run: string): ProcessLock {
  return orInUse(run, ProcessLock.tryAcquire(join(run, lockName)));
}

/** The same to remove something of it, or all, which a full disk does not keep from. @throws UserError `run_in_use` */
export function lockRunToRemove(run: string): ProcessLock {
  return orInUse(run, ProcessLock.tryAcquireToRemove(join(run, lockName)));
}

function orInUse(run: string, lock: ProcessLock | undefined): ProcessLock {
  if (lock) return lock;
  const owner = runOwner(run);
  throw new UserError({
    what: owner
      ? `another process is writing this run: ${owner.pid} on ${owner.host}`
      : 'another process is writing this run',
    where: run,
    next: `wait for it, or stop it with \`anneal runs stop\`; if that machine is gone for good, delete ${lockName} there`,
    code: 'run_in_use',
  });
}

/** The live owner of the run, if there is one. */
export function runOwner(run: string): RunOwner | undefined {
  return lockOwner(join(run, lockName));
}
