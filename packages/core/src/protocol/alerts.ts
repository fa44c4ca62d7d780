/** What somebody should look at in a run, while it trains or afterwards. Browser-safe. */
import { z } from 'zod';

export const ALERTS = ['not_finite', 'loss_spike', 'stalled', 'disk_nearly_full'] as const;

/** An alert of a run: two of one kind are raised by different events. */
export const alertName = z.object({
  code: z.enum(ALERTS),
  /** Number of the event that raised it. */
  seq: z.int().min(0),
});
export type AlertName = z.infer<typeof alertName>;

export const acknowledgementSchema = z.object({
  by: z.string(),
  /** ISO 8601, UTC. */
  time: z.string(),
});

export const alertSchema = alertName.extend({
  /** The step that it is about, or the last one before it; 0: before the first. */
  step: z.int().min(0),
  /** Of the event that raised it; ISO 8601, UTC. */
  time: z.string(),
  /** It is so now, or was so when the last step was recorded. */
  lasts: z.boolean(),
  what: z.string(),
  next: z.string(),
  /** By whom it was looked at; null until then. */
  acknowledged: acknowledgementSchema.nullable(),
});
export type Alert = z.infer<typeof alertSchema>;
