/** Telling the process that trains a run what to do. */
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import {
  type RunRequest,
  type RunSummary,
  runRequest,
  type StopRunRequest,
  stopRunRequest,
} from '@anneal/core/protocol/runs';
import { type RunOwner, runOwner } from '@anneal/core/trainer/runLock';
import { readRun } from '@anneal/core/trainer/runReader';
import { argumentsOf } from '@anneal/formats/files/processOwner';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from './find.ts';
import { summaryOf } from './list.ts';

/** How long a process that is to end at once may take to say so in its run. */
const patienceMilliseconds = 2000;

/**
 * Asks a run to save a checkpoint and end, or with `now` to end at once, and returns when it has. Yields once, when it is asked:
 * whoever stops listening then has asked all the same, but `now` no longer insists.
 * @throws UserError `run_not_running`, `run_on_other_host`, `run_of_another_user`
 */
export async function* stopRun(
  context: Context,
  request: StopRunRequest,
): AsyncGenerator<{ asked: RunOwner }, RunSummary> {
  const { run, now } = parseRequest(stopRunRequest, request);
  const path = await pathOfRun(context, run);
  const owner = ownerHere(path);
  signal(owner, now ? 'SIGQUIT' : 'SIGINT');
  yield { asked: owner };
  const killAt = now ? Date.now() + patienceMilliseconds : Number.POSITIVE_INFINITY;
  while (runOwner(path)?.pid === owner.pid) {
    if (Date.now() > killAt) signal(owner, 'SIGKILL');
    await wait(100);
  }
  return summaryOf(readRun(path));
}

/** Asks a run for a checkpoint after the step it is in; it goes on. An event tells when it is written. */
export async function saveRunNow(context: Context, request: RunRequest): Promise<RunSummary> {
  const path = await pathOfRun(context, parseRequest(runRequest, request).run);
  signal(ownerHere(path), 'SIGUSR2');
  return summaryOf(readRun(path));
}

function ownerHere(path: string): RunOwner {
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
  return owner;
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
