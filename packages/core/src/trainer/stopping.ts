import type { StopReason } from '../protocol/events.ts';
import { peakMemory } from './peakMemory.ts';
import type { RunDirectory } from './runDirectory.ts';

/** What the one who started a run may ask of it; looked at between steps, while judges are asked, and now and then before the first step. */
export interface TrainSignal {
  /** Save a checkpoint and end. */
  stopRequested: boolean;
  /** Recorded with the stop. */
  stopReason?: StopReason;
  /** Save a checkpoint and go on; set back when done. */
  saveRequested: boolean;
}

export function recordStop(out: RunDirectory, { stopReason }: TrainSignal, step: number): void {
  out.record({ type: 'stopped', step, peakMemory: peakMemory(), ...(stopReason && { why: stopReason }) });
}

/**
 * What comes before the first step and takes minutes; null, and the stop recorded, when the run was asked to stop meanwhile.
 * @param work rejects with the signal's reason soon after it is aborted; calls `look` where it keeps the event loop busy
 */
export async function untilStopped<T>(
  out: RunDirectory,
  signal: TrainSignal,
  work: (abort: AbortSignal, look: () => void) => Promise<T>,
): Promise<T | null> {
  const done = await unlessStopped(signal, work);
  if (done === null) recordStop(out, signal, (await out.latestCheckpoint())?.step ?? 0);
  return done;
}

/** As `untilStopped`, and nothing is recorded: null when `work` was given up because the run was asked to stop. */
export async function unlessStopped<T>(
  signal: TrainSignal,
  work: (abort: AbortSignal, look: () => void) => Promise<T>,
): Promise<T | null> {
  const stopping = new AbortController();
  const look = (): void => {
    if (signal.stopRequested) stopping.abort();
  };
  const looking = setInterval(look, 100);
  try {
    return await work(stopping.signal, look);
  } catch (error) {
    if (!stopping.signal.aborted || error !== stopping.signal.reason) throw error;
    return null;
  } finally {
    clearInterval(looking);
  }
}
