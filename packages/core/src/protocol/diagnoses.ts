/** What a run looks like to somebody who has seen many: what went wrong, how one sees it, what to change. Browser-safe. */
import { z } from 'zod';
import { sightSchema, unseenSchema } from './sights.ts';

/** In the order in which they are told: what spoils a run most comes first, and a cause before what may follow from it. */
export const RUN_FINDINGS = [
  'diverged',
  'nearly_all_masked',
  'loss_does_not_fall',
  'too_few_steps',
  'reward_does_not_rise',
  'rows_dropped',
  'rows_cut',
  'foreign_template',
  'end_not_learned',
  'duplicates',
  'leakage',
  'overfitted',
  'known_by_heart',
  'answers_cut',
  'answers_loop',
] as const;
export type RunFindingCode = (typeof RUN_FINDINGS)[number];

export const runFindingSchema = z.object({
  code: z.enum(RUN_FINDINGS),
  what: z.string(),
  /** What was seen, with its numbers. */
  evidence: z.array(sightSchema).min(1),
  next: z.string(),
  /** Keys of the recipe with better values: each as `--set key=value` takes it. */
  set: z.record(z.string(), z.json()),
});
export type RunFinding = z.infer<typeof runFindingSchema>;

/** What is looked at now; `share` of it, from 0 to 1. */
export const diagnosingSchema = z.object({ phase: z.enum(['events', 'rows', 'texts']), share: z.number() });
export type Diagnosing = z.infer<typeof diagnosingSchema>;

export const diagnosisSchema = z.object({
  id: z.string(),
  path: z.string(),
  /** None where the run looks healthy. */
  findings: z.array(runFindingSchema),
  /** What could not be looked at, and why: no finding does not mean that it is well. */
  unchecked: z.array(unseenSchema),
});
export type Diagnosis = z.infer<typeof diagnosisSchema>;
