/** What of the machine matters to a run that goes on there. */
import { join } from 'node:path';
import { freeDisk, leastDisk } from '../freeDisk.ts';
import { readSeal } from '../trainer/checkpointSeal.ts';

export interface HostFacts {
  /** Milliseconds since 1970. */
  now: number;
  /** Bytes where the run lies. */
  freeDisk: number;
  /** Bytes: two checkpoints like the newest, for the next one is written before an older one goes, and no less than a machine needs. */
  neededDisk: number;
}

/** @param checkpoint the newest, relative to the run */
export function hostFacts(run: string, checkpoint: string | null): HostFacts {
  const neededDisk = Math.max(leastDisk, 2 * (checkpoint === null ? 0 : bytesOf(join(run, checkpoint))));
  return { now: Date.now(), freeDisk: freeDisk(run), neededDisk };
}

/** 0 of one that is gone or damaged, which others tell. */
function bytesOf(checkpoint: string): number {
  try {
    return Object.values(readSeal(checkpoint).files).reduce((sum, { bytes }) => sum + bytes, 0);
  } catch {
    return 0;
  }
}
