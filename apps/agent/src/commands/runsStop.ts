import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import { type RunOwner, runOwner } from '@anneal/core/trainer/runLock';
import { findRun, readRun } from '@anneal/core/trainer/runReader';
import { argumentsOf } from '@anneal/formats/files/processOwner';
import { print, printJson, remark } from '../terminal/print.ts';
import { summaryOf } from './runsLs.ts';

/** How long a process that is to end at once may take to say so in its run. */
const patienceMilliseconds = 2000;

/** Returns when the run has ended. */
export async function stop(name: string, options: { runsDir: string; json?: boolean; now?: boolean }): Promise<void> {
  const path = await findRun(options.runsDir, name);
  const { owner, state } = readRun(path);
  if (!owner) {
    throw new UserError({
      what: `this run is not running: it is ${state}`,
      where: path,
      next: 'see the others with `anneal runs ls`',
      code: 'run_not_running',
    });
  }
  if (owner.host !== hostname()) {
    throw new UserError({
      what: `this run is running on another machine, ${owner.host}`,
      where: path,
      next: 'stop it there',
      code: 'run_on_other_host',
    });
  }
  refuseStranger(owner, path);
  if (!options.now) remark('waiting for the checkpoint; `anneal runs stop --now` does not wait');
  signal(owner, options.now ? 'SIGQUIT' : 'SIGTERM');
  const killAt = options.now ? Date.now() + patienceMilliseconds : Number.POSITIVE_INFINITY;
  while (runOwner(path)?.pid === owner.pid) {
    if (Date.now() > killAt) signal(owner, 'SIGKILL');
    await wait(100);
  }
  const run = readRun(path);
  if (options.json) printJson(summaryOf(run));
  else print(`${basename(path)} ${run.state} after step ${run.status.step}`);
}

/** A lock can name any process with its start. One that trains this run was started with its path. */
function refuseStranger({ pid }: RunOwner, path: string): void {
  const args = argumentsOf(pid);
  if (args === undefined || args.some((arg) => basename(arg) === basename(path))) return;
  throw new UserError({
    what: `the run is locked by process ${pid}, which does not train it`,
    where: join(path, 'run.lock'),
    next: 'look at that process; if it has nothing to do with the run, delete the file',
    code: 'run_not_running',
  });
}

/** The process is the one that the lock names, alive since the start that it names: never 1, never a group. */
function signal({ pid }: RunOwner, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ESRCH') return; // it has just ended
    throw new UserError({
      what: `process ${pid}, which trains this run, cannot be told to stop (${code})`,
      where: 'this machine',
      next: 'stop it as the user who started it',
      code: 'run_of_another_user',
      cause: error,
    });
  }
}
