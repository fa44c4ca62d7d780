import { hostname } from 'node:os';
import { basename } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import { runOwner } from '@anneal/core/trainer/runLock';
import { findRun, readRun } from '@anneal/core/trainer/runReader';
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
  if (!options.now) remark('waiting for the checkpoint; `anneal runs stop --now` does not wait');
  process.kill(owner.pid, options.now ? 'SIGQUIT' : 'SIGTERM');
  const killAt = options.now ? Date.now() + patienceMilliseconds : Number.POSITIVE_INFINITY;
  // What is signalled is the process that the lock names, alive since the start that it names: never 1, never a group.
  while (runOwner(path)?.pid === owner.pid) {
    if (Date.now() > killAt) process.kill(owner.pid, 'SIGKILL');
    await wait(100);
  }
  const run = readRun(path);
  if (options.json) printJson(summaryOf(run));
  else print(`${basename(path)} ${run.state} after step ${run.status.step}`);
}
