/** What a step of a run was made of: the rows of its batch, and each of them token by token with its losses. Browser-safe. */
import { z } from 'zod';
import { SIDES } from '../datasets/types.ts';
import { warningSchema } from './events.ts';
import { maybeLoss, runRequest } from './runs.ts';

const count = z.int().min(0);

/** Steps count from 1. */
export const stepRequest = z.strictObject({ step: z.int().min(1) });
export type StepRequest = z.input<typeof stepRequest>;

/** Of a document of the step, the tokens from number `from` on, counted from 0. */
export const batchRowRequest = stepRequest.extend({ document: count, from: count.default(0) });
export type BatchRowRequest = z.input<typeof batchRowRequest>;

export const openBatchesRequest = runRequest;
export type OpenBatchesRequest = z.input<typeof openBatchesRequest>;

/** A row as it was in the batch: one document, of which a long plain text has several. */
export const batchRowSchema = z.object({
  /** Its number in the run's prepared data. */
  document: count,
  /** Where it came from. `row` counts from 1: the line of a JSONL or text file, the record of any other file. */
  file: z.string(),
  row: z.int().min(1),
  /** The batch of the step that it lay in, from 0, and where in it its first token lay. */
  batch: count,
  start: count,
  tokens: count,
  targetTokens: count,
  /** Which answer of a preference it holds; absent where nothing is preferred. */
  side: z.enum(SIDES).exclude(['none']).optional(),
  /** Mean over its target tokens, before the step changed the weights; null where it was not finite, absent where the run has none. */
  loss: maybeLoss,
  /** The beginning of its text. */
  excerpt: z.string(),
});
export type BatchRow = z.infer<typeof batchRowSchema>;

export const stepBatchSchema = z.object({
  step: z.int().min(1),
  /** Passes over the data before it, and its number among the steps of its epoch, from 0. */
  epoch: count,
  index: count,
  stepsPerEpoch: z.int().min(1),
  tokens: count,
  targetTokens: count,
  /** In the order in which they lay in the batch. */
  rows: z.array(batchRowSchema).readonly(),
  /** The step of the checkpoint nearest to the weights that this step began with; 0: the model before training. Null: there is none. */
  checkpoint: count.nullable(),
});
export type StepBatch = z.infer<typeof stepBatchSchema>;

/** As the studio is told of it: with where the rows can be edited. */
export interface StudioBatch extends Omit<StepBatch, 'rows'> {
  /** `key`: of the data file in the workspace; null where it lies elsewhere, or is gone. */
  rows: readonly (BatchRow & { key: string | null })[];
}

/** While the losses of a step's tokens are measured: tensors in memory, then documents. */
export type MeasuringProgress = { phase: 'loading' | 'measuring'; done: number; of: number };

/** By whose weights the losses were measured. */
export interface MeasuredStep {
  step: number;
  checkpoint: number;
  /** Of each document the mean over its target tokens; null where it is not finite. */
  means: readonly { document: number; loss: number | null }[];
}

export interface LossToken {
  id: number;
  /** Its part of the text; empty for one that only begins or continues a character. */
  text: string;
  /** As the vocabulary spells it. */
  spelled: string;
  /** In hexadecimal. */
  bytes: string;
  isControl: boolean;
  target: boolean;
  /** -log of its probability; of target tokens that were measured. Null where it was not finite. */
  loss?: number | null;
}

export interface BatchRowTokens {
  document: number;
  from: number;
  tokens: readonly LossToken[];
  tokenCount: number;
  /** The checkpoint by which the losses were measured; null where they were not. */
  checkpoint: number | null;
}

/** How many of the batches that a run would begin with. */
export const firstBatchesRequest = z.strictObject({ count: z.int().min(1).max(20).default(3) });
export type FirstBatchesRequest = z.input<typeof firstBatchesRequest>;

/** Of a document of those batches, the tokens from number `from` on, counted from 0. */
export const firstBatchRowRequest = batchRowRequest.omit({ step: true });
export type FirstBatchRowRequest = z.input<typeof firstBatchRowRequest>;

/** One pass of the model: rows that lie one after another, of which none sees another. */
export const recipeBatchSchema = z.object({
  /** The optimizer step that it is a part of, and its number among the batches of that step, from 1. */
  step: z.int().min(1),
  number: z.int().min(1),
  of: z.int().min(1),
  tokens: count,
  targetTokens: count,
  /** Tokens that the device adds behind the last row, so that it meets fewer lengths; nothing is learned from them. */
  padding: count,
  /** In the order in which they lie in it. */
  rows: z.array(batchRowSchema.omit({ loss: true })).readonly(),
});
export type RecipeBatch = z.infer<typeof recipeBatchSchema>;

/** The batches that a run of a recipe would begin with, before it is started. */
export const firstBatchesSchema = z.object({
  batches: z.array(recipeBatchSchema).readonly(),
  stepsPerEpoch: z.int().min(1),
  /** Steps of the whole run. */
  totalSteps: z.int().min(1),
  /** Tokens that a batch has room for: `micro_batch_size` times `sequence_len`, twice that for pairs. */
  maxTokens: z.int().min(1),
  isPacked: z.boolean(),
  /** Each step also passes over its prompts with answers of other rows, which are not shown. */
  hasDivergence: z.boolean(),
  warnings: z.array(warningSchema).readonly(),
});
export type FirstBatches = z.infer<typeof firstBatchesSchema>;

/** As the studio is told of them. */
export interface StudioFirstBatches extends Omit<FirstBatches, 'batches'> {
  /** Names these batches: rows are asked for by it, and refused once recipe or data are others. */
  id: string;
  batches: readonly (Omit<RecipeBatch, 'rows'> & {
    rows: readonly (RecipeBatch['rows'][number] & { key: string | null })[];
  })[];
}
