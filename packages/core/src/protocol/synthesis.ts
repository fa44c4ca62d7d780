/** Making rows by asking a model. Browser-safe. */
import { z } from 'zod';
import { overridesSchema } from './runs.ts';

const count = z.int().min(0);

export const synthesisRequest = z.strictObject({
  /** A recipe of `anneal synthesize`. */
  recipe: z.string().min(1),
  set: overridesSchema,
  /** Say what it would take; nothing is asked but the samples. */
  dryRun: z.boolean().default(false),
  /** Requests that are asked first, to measure what the others will take. By default 3, none with `dryRun`. */
  samples: count.max(1000).optional(),
  /** Replace an output that is not of this synthesis, or was changed since. */
  overwrite: z.boolean().default(false),
});
export type SynthesisRequest = z.input<typeof synthesisRequest>;

/** What is still to be asked, and what that takes. */
export const synthesisEstimateSchema = z.object({
  requests: count,
  promptTokens: count,
  /** With `measured: 0` the most there can be. */
  completionTokens: count,
  milliseconds: z.number().min(0).nullable(),
  /** Answers that it was measured by; 0: counted by characters. */
  measured: count,
});
export type SynthesisEstimate = z.infer<typeof synthesisEstimateSchema>;

export const synthesisProgressSchema = z.object({
  phase: z.enum(['samples', 'asking', 'judging']),
  /** Who is asked. */
  url: z.string(),
  /** Requests of this phase that have an answer, and all of them. */
  answered: count,
  requests: count,
  failed: count,
  /** Tries beyond the first. */
  retries: count,
  /** Of the answers that came this time. */
  promptTokens: count,
  completionTokens: count,
  /** What is left; the first one comes after the samples. */
  estimate: synthesisEstimateSchema.nullable(),
});
export type SynthesisProgress = z.infer<typeof synthesisProgressSchema>;

export const synthesisResultSchema = z.object({
  /** `stopped`: some is still to be asked; the rows are those of what was answered. `estimated`: no rows were asked for. */
  state: z.enum(['finished', 'stopped', 'estimated']),
  /** Documents, or rows. */
  sources: count,
  /** Files of the sources' folders that are no documents, and documents without text. */
  passedOver: z.array(z.string()).readonly(),
  empty: z.array(z.string()).readonly(),
  /** Null where rows are asked about. */
  chunks: count.nullable(),
  /** Chunks or rows, of those chosen, that ask what another one asks. */
  repeated: count,
  requests: count,
  answered: count,
  /** About so many more at most, if each answer becomes the rows it was asked for; 0 without a judge. */
  judgements: count,
  failed: count,
  /** Null without rows. */
  output: z.string().nullable(),
  rows: count,
  /** By reason, what was left out. */
  rejected: z.record(z.string(), count),
  /** The file that lists them; null where nothing was left out. */
  rejectedFile: z.string().nullable(),
  estimate: synthesisEstimateSchema,
});
export type SynthesisResult = z.infer<typeof synthesisResultSchema>;

/** A recipe of `anneal synthesize` in the folder of an agent. */
export interface ListedSynthesis {
  key: string;
  /** ISO 8601, UTC. */
  modified: string;
}

export const saveSynthesisRequest = z.strictObject({
  /** Its key; of a new one where it is to lie. */
  recipe: z.string().min(1).max(1024),
  text: z.string().max(262_144),
  /** What stood there when it was opened; null for a new one. */
  before: z.string().max(262_144).nullable(),
});
export type SaveSynthesisRequest = z.output<typeof saveSynthesisRequest>;

/** Of the rows of a recipe's output, those that were left out. */
export const rejectedRowsRequest = z.strictObject({
  /** The output, as the list of data files has it. */
  file: z.string().min(1).max(1024),
  offset: count.default(0),
  limit: z.int().min(1).max(100).default(50),
});
export type RejectedRowsRequest = z.input<typeof rejectedRowsRequest>;

export interface RejectedRow {
  reason: string;
  detail: string;
  question: string | null;
  answer: string | null;
  /** What the endpoint said, where nothing could be read of it. */
  content: string | null;
  /** The document, and of a data file its row. */
  source: string | null;
}

export interface RejectedRows {
  total: number;
  rows: RejectedRow[];
}
