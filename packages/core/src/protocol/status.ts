/** The state of a run as one small object: a fold over its events, kept in `status.json`. Browser-safe. */
import { z } from 'zod';
import { errorSchema, type RunEvent } from './events.ts';

/** What the events say. A run in `preparing` or `running` whose process is gone was interrupted: see `readRun`. */
export const runStateSchema = z.enum(['created', 'preparing', 'running', 'stopped', 'failed', 'finished']);
export type RunState = z.infer<typeof runStateSchema>;

export const statusSchema = z.object({
  id: z.string(),
  name: z.string(),
  state: runStateSchema,
  /** Last optimizer step that counts; 0 before the first. */
  step: z.int().min(0),
  totalSteps: z.int().min(0).nullable(),
  epoch: z.number(),
  loss: z.number().nullable(),
  evaluationLoss: z.number().nullable(),
  tokensPerSecond: z.number().nullable(),
  /** Newest complete checkpoint, relative to the run directory. */
  checkpoint: z.string().nullable(),
  error: errorSchema.nullable(),
  /** Bytes: what the plan takes, and the most that a process of the run had; null until known. */
  plannedMemory: z.number().min(0).nullable(),
  peakMemory: z.int().min(0).nullable(),
  /** ISO 8601, UTC. */
  created: z.string(),
  updated: z.string(),
  /** Sequence number of the last event counted in. */
  seq: z.int().min(0),
});
export type Status = z.infer<typeof statusSchema>;

export function initialStatus(id: string, name: string, created: string): Status {
  return {
    id,
    name,
    state: 'created',
    step: 0,
    totalSteps: null,
    epoch: 0,
    loss: null,
    evaluationLoss: null,
    tokensPerSecond: null,
    checkpoint: null,
    error: null,
    plannedMemory: null,
    peakMemory: null,
    created,
    updated: created,
    seq: 0,
  };
}

/** The status once `event` has been counted in. Pure: replaying a run's events always gives its status. */
export function statusAfter(status: Status, event: RunEvent): Status {
  const next: Status = { ...status, seq: event.seq, updated: event.time };
  switch (event.type) {
    case 'run_created':
      return { ...next, id: event.id, name: event.name, created: event.time };
    case 'data_prepared':
    case 'initializing':
      return { ...next, state: 'preparing', error: null };
    case 'planned':
      return { ...next, state: 'preparing', error: null, plannedMemory: event.memory['total'] ?? null };
    case 'started':
      return { ...next, state: 'running', totalSteps: event.totalSteps, error: null };
    case 'resumed':
      return { ...next, state: 'running', step: event.fromStep, error: null };
    case 'step':
      return {
        ...next,
        step: event.step,
        epoch: event.epoch,
        loss: event.loss,
        tokensPerSecond: event.tokensPerSecond,
      };
    case 'evaluated':
      return { ...next, evaluationLoss: event.loss };
    case 'checkpoint':
      return { ...next, checkpoint: event.path };
    case 'stopped':
      return { ...next, state: 'stopped', step: event.step, peakMemory: higher(status, event) };
    case 'failed':
      return { ...next, state: 'failed', error: event.error, peakMemory: higher(status, event) };
    case 'finished':
      return { ...next, state: 'finished', step: event.step, loss: event.loss, peakMemory: higher(status, event) };
    case 'sample':
    case 'warning':
    case 'recipe_changed':
    case 'early_stopped':
      return next;
  }
}

function higher(status: Status, { peakMemory }: { peakMemory?: number | undefined }): number | null {
  return peakMemory === undefined ? status.peakMemory : Math.max(peakMemory, status.peakMemory ?? 0);
}
