/** The worker's side of a run: it takes the run directory, listens for signals, and puts every end on record. */
import { deviceFault } from '@anneal/core/deviceFault';
import { UserError } from '@anneal/core/errors';
import { isTerminal, type StopReason } from '@anneal/core/protocol/events';
import { peakMemory } from '@anneal/core/trainer/peakMemory';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import type { TrainSignal } from '@anneal/core/trainer/stopping';
import { exitCodeOfError, exitCodes } from '../exitCodes.ts';
import type { Launch } from './launchArguments.ts';

/**
 * One launch of a run: runs `train` on the run at `path` and returns the exit code. SIGINT, by which we ask for it, SIGTERM, SIGHUP
 * and a parent that is gone stop it with a checkpoint, SIGQUIT at once; SIGUSR2 saves a checkpoint. A later launch that can do nothing, because inputs
 * or a checkpoint are not what they were, leaves the run as it is and only tells the parent.
 */
export async function runWorker(
  path: string,
  train: (run: RunDirectory, signal: TrainSignal, onAccepted: () => void) => Promise<unknown>,
  { detached = false, afterSeq }: Launch = {},
): Promise<number> {
  const signal: TrainSignal = { stopRequested: false, saveRequested: false };
  const stop = (why: StopReason) => () => {
    signal.stopRequested = true;
    signal.stopReason ??= why;
  };
  process.on('SIGTERM', stop('terminated'));
  process.on('SIGINT', stop('asked'));
  process.on('SIGHUP', stop('terminal_closed'));
  if (process.connected && !detached) process.on('disconnect', stop('parent_gone'));
  process.on('SIGUSR2', () => {
    signal.saveRequested = true;
  });

  let run: RunDirectory;
  try {
    run = await RunDirectory.open(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return refuse(error);
  }
  await using _ = run;
  process.on('SIGQUIT', () => {
    const step = stepOf(run.status.checkpoint);
    run.record({ type: 'stopped', step, peakMemory: peakMemory(), why: 'at_once' });
    void run.close().finally(() => process.exit(exitCodes.interrupted));
  });
  const before = run.status.seq;
  if (afterSeq !== undefined && afterSeq !== before) return refuse(begunAlready(path));
  try {
    await train(run, signal, () => tell({ accepted: true }));
  } catch (error) {
    const isFirst = run.status.state === 'created';
    if (error instanceof UserError && run.status.seq === before && !isFirst) return refuse(error);
    console.error(error);
    run.record({ type: 'failed', error: describe(error, path), peakMemory: peakMemory() });
  }
  const last = run.lastEvent;
  if (!last || last.seq === before || !isTerminal(last)) throw new Error('training ended without saying how');
  return last.type === 'finished' ? exitCodes.done : last.type === 'stopped' ? exitCodes.stopped : exitCodes.failed;
}

/** What a worker says to its parent, where that listens: that it goes on with the run, or why it does not. */
export type WorkerMessage = { accepted: true } | { refusal: ReturnType<UserError['toJSON']> };

function tell(message: WorkerMessage): void {
  if (process.connected) process.send?.(message);
}

async function refuse(error: UserError): Promise<number> {
  const message: WorkerMessage = { refusal: error.toJSON() };
  if (process.connected) await new Promise((resolve) => process.send?.(message, resolve));
  else console.error(error);
  return exitCodeOfError(error.code);
}

function begunAlready(path: string): UserError {
  return new UserError({
    what: 'this run has gone on since this launch was ordered',
    where: path,
    next: 'look at what it did; resume it to go on from there',
    code: 'run_begun_already',
  });
}

function stepOf(checkpoint: string | null): number {
  return Number(checkpoint?.match(/\d+$/)?.[0] ?? 0);
}

function describe(error: unknown, path: string): ReturnType<UserError['toJSON']> {
  const known = error instanceof UserError ? error : deviceFault(error, path);
  if (known) return known.toJSON();
  return {
    code: 'internal_error',
    what: `unexpected error: ${error instanceof Error ? error.message : String(error)}`,
    where: `${path}/run.log`,
    next: 'this is a defect in Anneal: please report it with that file',
  };
}
