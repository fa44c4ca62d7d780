/** Looking at rows as the trainer sees them. Browser-safe. */
import { z } from 'zod';
import { DROP_REASONS, LEFT_OUT_PARTS, TOKEN_REASONS } from '../datasets/types.ts';
import { errorSchema, warningSchema } from './events.ts';
import { overridesSchema } from './runs.ts';

const count = z.int().min(0);

export const inspectRequest = z.strictObject({
  /** A recipe, a data file or folder, or a data set of a hub that was pulled, whose split and subset `set` names. */
  source: z.string().min(1),
  /** Of a recipe; for data without one, of a recipe that has them as its only data set. */
  set: overridesSchema,
  /** For data without a recipe: whose tokenizer and template. */
  model: z.string().min(1).default('smollm2-135m'),
});
export type InspectRequest = z.input<typeof inspectRequest>;

/** Rows counted from 1 over all files of all data sets in their order, both ends included. */
export const rowRangeSchema = z.object({ first: z.int().min(1), last: z.number().min(1) });
export type RowRange = z.infer<typeof rowRangeSchema>;

/** Where a row came from. `row` counts from 1: the line of a JSONL or text file, the record of any other file. */
export const rowSourceSchema = z.object({ file: z.string(), row: z.int().min(1) }).readonly();

/** What becomes of a row. */
export const verdictSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('kept') }),
  /** `from`: how many tokens it had. */
  z.object({ kind: z.literal('truncated'), from: count }),
  z.object({ kind: z.literal('dropped'), reason: z.enum(DROP_REASONS), detail: z.string() }),
]);

/** Half-open range of UTF-16 positions in a text. */
const span = { start: count, end: count };

/** A token as a person looks at it. */
export const inspectedTokenSchema = z.object({
  id: count,
  /** As the vocabulary spells it. */
  text: z.string(),
  /** Of the rendered text, empty for a token that was added around it. Tokens of one character share its range. */
  ...span,
  /** In hexadecimal; null where it shares a character with its neighbors and its tokenizer does not say. */
  bytes: z.string().nullable(),
  /** The loss counts it, unless the row is dropped, or cut before it. */
  target: z.boolean(),
  reason: z.enum(TOKEN_REASONS),
  /** Message it belongs to; null between messages and in plain text. */
  message: count.nullable(),
});

export type InspectedToken = z.infer<typeof inspectedTokenSchema>;

/** One text as the trainer sees it. Text, tokens and their counts are null as far as it did not come. */
export const inspectedTextSchema = z.object({
  text: z.string().nullable(),
  turns: z
    .array(
      z.object({
        ...span,
        role: z.string(),
        message: count,
        /** What the loss counts of it; null when nothing. */
        supervised: z.object(span).nullable(),
      }),
    )
    .readonly(),
  /** What the row holds and the chat template does not print; `message` is null for the tools. */
  leftOut: z
    .array(z.object({ part: z.enum(LEFT_OUT_PARTS), message: count.nullable(), detail: z.string() }))
    .readonly(),
  /** The first ones, at most 100,000. */
  tokens: z.array(inspectedTokenSchema).readonly().nullable(),
  /** Over all tokens of the text, those left out included. */
  tokenCount: count.nullable(),
  targetTokens: count.nullable(),
  tokensLeftOut: count,
});
export type InspectedText = z.infer<typeof inspectedTextSchema>;

/** A row; of a preference pair with its chosen answer. */
export const inspectedRowSchema = inspectedTextSchema.extend({
  source: rowSourceSchema,
  value: z.record(z.string(), z.unknown()),
  verdict: verdictSchema,
  /** Columns that hold something and are not read. */
  unread: z.array(z.string()).readonly(),
  /** The same prompt with its rejected answer. */
  rejected: inspectedTextSchema.optional(),
  /** By how much the chosen answer is to be better, where rows say so. */
  margin: z.number().optional(),
});
export type InspectedRow = z.infer<typeof inspectedRowSchema>;

/** The beginnings of a row's messages; of a row that is no conversation one part without a role. */
export const rowExcerptSchema = z.array(z.object({ role: z.string().nullable(), text: z.string() })).readonly();
export type RowExcerpt = z.infer<typeof rowExcerptSchema>;

/** What preparation found out over all rows. */
export const preparedSummarySchema = z.object({
  rows: count,
  kept: count,
  truncated: count,
  dropped: count,
  droppedBy: z.partialRecord(z.enum(DROP_REASONS), count).readonly(),
  /** Kept rows of which the chat template does not print a part: how many, and where the first stands. */
  leftOut: z.partialRecord(z.enum(LEFT_OUT_PARTS), z.object({ rows: count, first: z.string() })).readonly(),
  /** Tokens and target tokens of one epoch. */
  tokens: count,
  targetTokens: count,
  trainDocuments: count,
  validationDocuments: count,
  longest: count,
  /** Rows equal to an earlier one, dropped or not. */
  duplicates: count,
  /** Over all rows that have tokens, those that are too long included. */
  histogram: z.object({
    width: z.int().min(1),
    open: z.boolean(),
    total: z.array(count).readonly(),
    supervised: z.array(count).readonly(),
  }),
  files: z
    .array(
      z.object({
        path: z.string(),
        bytes: count,
        sha256: z.string(),
        format: z.string(),
        /** It holds preference pairs, whose rejected answers nothing is learned from. */
        rejectedUnread: z.boolean(),
        /** By column, its rows; the rejected answers apart. */
        unread: z.record(z.string(), count).readonly(),
        /** Rows that say where they come from, which is not trained. Absent from what older versions prepared. */
        provenance: count.default(0),
      }),
    )
    .readonly(),
});

/** What is worth knowing about a prepared data set before training on it. */
export const dataReportSchema = z.object({
  summary: preparedSummarySchema,
  /** The most tokens of a row; of a pair, of both answers together. */
  sequenceLen: count,
  /** null where rows cannot share a batch's room: prompts, whose answers are still to come. */
  packing: z
    .object({
      /** Bins of `sequenceLen` tokens that the training documents fill, and the share of them that is filled. */
      bins: count,
      efficiency: z.number(),
      /** The same without packing, were every document padded to `sequenceLen`. */
      unpacked: z.number(),
    })
    .nullable(),
  nearDuplicates: z.object({
    /** Documents that were compared: all, or the first ones of each set. */
    compared: count,
    pairs: count,
    examples: z.array(z.object({ first: rowSourceSchema, second: rowSourceSchema, similarity: z.number() })).readonly(),
  }),
  /** Validation documents that training shows as well: exactly, over all of both; nearly, over those compared. */
  leakage: z.object({ exact: count, near: count }),
  warnings: z.array(warningSchema).readonly(),
});
export type DataReport = z.infer<typeof dataReportSchema>;

/** On all rows. Where training would refuse the data, why, and the report on what is left without them, if there is one. */
export const dataReportResultSchema = z.object({
  report: dataReportSchema.optional(),
  refusal: errorSchema.optional(),
});
export type DataReportResult = z.infer<typeof dataReportResultSchema>;
