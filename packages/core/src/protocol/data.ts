/** Looking at rows as the trainer sees them. Browser-safe. */
import { z } from 'zod';
import { overridesSchema } from './runs.ts';

export const inspectRequest = z.object({
  /** A recipe, or a data file or folder. */
  source: z.string().min(1),
  /** Of a recipe. */
  set: overridesSchema,
  /** For data without a recipe: whose tokenizer and template. */
  model: z.string().min(1).default('smollm2-135m'),
});
export type InspectRequest = z.input<typeof inspectRequest>;

/** Rows counted from 1 over all files of all data sets in their order, both ends included. */
export const rowRangeSchema = z.object({ first: z.int().min(1), last: z.number().min(1) });
export type RowRange = z.infer<typeof rowRangeSchema>;
