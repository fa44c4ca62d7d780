/** Runs that wait for a device. Browser-safe. */
import { z } from 'zod';
import { errorSchema } from './events.ts';
import { type Priority, priorities } from './priorities.ts';
import { overridesSchema } from './runs.ts';

export const prioritySchema = z.enum(priorities).default('normal');

/** Runs that one device may train at a time. 0: it begins none. */
export const concurrencySchema = z.int().min(0).max(16);

/** A run that waits, as it stands in the queue's file. */
export const queuedRunSchema = z.object({
  /** Its folder, relative to the one that the agent serves, with `/`. */
  run: z.string().min(1),
  /** `cpu`, `cuda:0`, … */
  device: z.string().min(1),
  priority: prioritySchema,
  /** `key=value` of the recipe that this launch changes. */
  changes: overridesSchema,
  /** The last event of the run when it was queued: once there is a later one, the run has begun. */
  afterSeq: z.int().min(0),
  since: z.iso.datetime(),
  /** Who has queued it; null from the command line. */
  by: z.string().nullable().default(null),
});
export type QueuedRun = z.infer<typeof queuedRunSchema>;

/** A run that left the queue without having begun, and why. */
export const refusedRunSchema = z.object({
  run: z.string().min(1),
  /** As of the queued run: it holds until there is a later event. */
  afterSeq: z.int().min(0),
  error: errorSchema,
});
export type RefusedRun = z.infer<typeof refusedRunSchema>;

/** First in each array is first to begin. */
export const queueSchema = z.object({
  version: z.literal(1),
  /** By device; 1 where nothing is said. */
  concurrency: z.record(z.string(), concurrencySchema),
  waiting: z.array(queuedRunSchema),
  refused: z.array(refusedRunSchema),
});
export type Queue = z.infer<typeof queueSchema>;

/** Where a run stands among those that wait for the same device. */
export interface QueuePlace {
  device: string;
  /** Counted from 1. */
  place: number;
  /** How many wait for the device. */
  of: number;
  priority: Priority;
}
