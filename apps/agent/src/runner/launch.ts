/** The child's side of a run: takes the run directory, listens for signals, and puts every end on record. */
import { UserError } from '@anneal/core/errors';
import { isTerminal } from '@anneal/core/protocol/events';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import type { TrainSignal } from '@anneal/core/trainer/train';
import { exitCodes } from '../exitCodes.ts';

/**
 * Runs `train` on the run at `path` and returns the exit code. SIGTERM, SIGINT and a parent that is gone stop it with a
 * checkpoint, SIGQUIT at once; SIGUSR2 saves a checkpoint.
 */
export async function launch(
  path: string,
  train: (run: RunDirectory, signal: TrainSignal) => Promise<unknown>,
): Promise<number> {
  const signal: TrainSignal = { stopRequested: false, saveRequested: false };
  const stop = () => {
    signal.stopRequested = true;
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  if (process.connected) process.on('disconnect', stop);
  process.on('SIGUSR2', () => {
    signal.saveRequested = true;
  });

  await using run = await RunDirectory.open(path);
  process.on('SIGQUIT', () => {
    run.record({ type: 'stopped', step: stepOf(run.status.checkpoint) });
    void run.close().finally(() => process.exit(exitCodes.interrupted));
  });
  const before = run.status.seq;
  try {
    await train(run, signal);
  } catch (error) {
    console.error(error);
    run.record({ type: 'failed', error: describe(error, path) });
  }
  const last = run.events.at(-1);
  if (!last || last.seq === before || !isTerminal(last)) throw new Error('training ended without saying how');
  return last.type === 'finished' ? exitCodes.done : last.type === 'stopped' ? exitCodes.stopped : exitCodes.failed;
}

function stepOf(checkpoint: string | null): number {
  return Number(checkpoint?.match(/\d+$/)?.[0] ?? 0);
}

function describe(error: unknown, path: string): ReturnType<UserError['toJSON']> {
  if (error instanceof UserError) return error.toJSON();
  return {
    code: 'internal_error',
    what: `unexpected error: ${error instanceof Error ? error.message : String(error)}`,
    where: `${path}/run.log`,
    next: 'this is a defect in Anneal: please report it with that file',
  };
}
