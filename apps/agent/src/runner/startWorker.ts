/** The parent's side of a run: it starts the worker, relays stop requests and records an end that the worker could not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { isTerminal, type RunEvent } from '@anneal/core/protocol/events';
import type { Status } from '@anneal/core/protocol/status';
import { LENT_KEYS, type LentKeys } from '@anneal/core/synthesis/apiKey';
import { followEvents } from '@anneal/core/trainer/followEvents';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { openRunFile } from '@anneal/core/trainer/runFiles';
import { readRun } from '@anneal/core/trainer/runReader';
import { type Exit, exitOf } from './apart.ts';
import { type Launch, launchArguments } from './launchArguments.ts';
import type { WorkerMessage } from './runWorker.ts';
import { workerPath } from './workerPath.ts';

/** How long a process that is to end at once may take to say so in its run. */
const patienceMilliseconds = 1000;

export interface AttachedWorker {
  /** Asks for a checkpoint and an orderly end, by the signal that says why. A second call ends the process at once. */
  stop(why?: 'SIGINT' | 'SIGTERM' | 'SIGHUP'): void;
  /** Resolves when the process is gone and its end is on record. Rejects with why a resumed run was left as it was. */
  ended: Promise<Status>;
}

interface WorkerOptions extends Pick<Launch, 'changes' | 'afterSeq' | 'repetition'> {
  worker?: string | undefined;
  /** Given, no other address may be asked. */
  endpointKeys?: LentKeys | undefined;
}

/** Starts a worker that ends with this process, and passes its events on as they reach the run directory. */
export function startAttached(
  path: string,
  options: WorkerOptions & { onEvent: (event: RunEvent) => void },
): AttachedWorker {
  const { state, seq } = readRun(path).status;
  // Of a run that starts for the first time, its creation is news as well.
  const afterSeq = state === 'created' ? 0 : seq;
  const child = spawnWorker(path, options, 'attached');
  let requests = 0;
  const stop: AttachedWorker['stop'] = (why = 'SIGINT') => {
    requests++;
    child.kill(requests === 1 ? why : 'SIGQUIT');
    if (requests > 1) setTimeout(() => child.kill('SIGKILL'), patienceMilliseconds).unref();
  };
  return { stop, ended: watch(path, child, { afterSeq, onEvent: options.onEvent, stopped: () => requests > 0 }) };
}

/** Starts a worker that outlives this process and its terminal. Returns its process id. */
export function startDetached(path: string, options: WorkerOptions = {}): number {
  const child = spawnWorker(path, options, 'detached');
  child.unref();
  return pidOf(child);
}

/** As `startDetached`: returns once the worker has looked at everything, or has ended. Throws what it refuses the run for. */
export async function resumeDetached(path: string, options: WorkerOptions = {}): Promise<number> {
  const child = spawnWorker(path, options, 'listened to');
  const message = await new Promise<WorkerMessage | undefined>((resolve, reject) => {
    child.once('message', (said) => resolve(said as WorkerMessage));
    // Once everything it said has come: its exit may be told before that.
    child.once('disconnect', () => resolve(undefined));
    child.once('error', reject);
  });
  if (message && 'refusal' in message) throw new UserError(message.refusal);
  if (child.connected) child.disconnect();
  child.unref();
  return pidOf(child);
}

function pidOf({ pid }: ChildProcess): number {
  if (pid === undefined) throw new Error('the worker process did not start');
  return pid;
}

/**
 * Its output goes into run.log, never through a pipe that somebody has to drain. It leads its own session, so a Ctrl-C
 * in the terminal reaches only us. The channel of an attached one says nothing; that it closes says that we are gone.
 */
function spawnWorker(
  path: string,
  { worker = workerPath, endpointKeys, ...launch }: WorkerOptions,
  kind: 'attached' | 'listened to' | 'detached',
): ChildProcess {
  const log = openRunFile(join(path, 'run.log'), constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT);
  const args = launchArguments({ ...launch, detached: kind === 'listened to' });
  try {
    return spawn(process.execPath, [worker, path, ...args], {
      detached: true,
      stdio: kind === 'detached' ? ['ignore', log, log] : ['ignore', log, log, 'ipc'],
      // Without it the worker strips the types of every module again: imports took 1.6 s instead of 0.3 s on two busy cores.
      env: {
        ...process.env,
        ...(endpointKeys && { [LENT_KEYS]: JSON.stringify(endpointKeys) }),
        NODE_COMPILE_CACHE: getCompileCacheDir(),
      },
    });
  } finally {
    closeSync(log);
  }
}

async function watch(
  path: string,
  child: ChildProcess,
  options: { afterSeq: number; onEvent: (event: RunEvent) => void; stopped: () => boolean },
): Promise<Status> {
  let isLive = true;
  let refusal: UserError | undefined;
  child.on('message', (message: WorkerMessage) => {
    if ('refusal' in message) refusal = new UserError(message.refusal);
  });
  const exited = exitOf(child).finally(() => {
    isLive = false;
  });
  exited.catch(() => undefined); // awaited below, once its events are passed on
  let last: RunEvent | undefined;
  for await (const event of followEvents(path, { afterSeq: options.afterSeq, isLive: () => isLive })) {
    last = event;
    options.onEvent(event);
  }
  const exit = await exited;
  if (refusal) throw refusal;
  if (!last || !isTerminal(last)) {
    // A worker that dies of our own signal, before it listens or because it does not, was stopped.
    options.onEvent(await recordEnd(path, options.stopped() && exit.signal ? undefined : exit));
  }
  return readRun(path).status;
}

/** The last event of a process that died without one. No `exit`: the user had it killed. */
async function recordEnd(path: string, exit: Exit | undefined): Promise<RunEvent> {
  await using run = await RunDirectory.open(path);
  if (!exit) return run.record({ type: 'stopped', step: (await run.latestCheckpoint())?.step ?? 0 });
  return run.record({
    type: 'failed',
    error: {
      code: 'worker_crashed',
      what: `the training process ended with ${exit.signal ?? `exit code ${exit.code}`}${exit.signal === 'SIGKILL' ? ': the system may have run out of memory' : ''}`,
      where: join(path, 'run.log'),
      next: `look there, then continue from the last checkpoint with \`anneal runs resume ${run.id}\``,
    },
  });
}
