/** The validation loss of a model, measured apart from training. Browser-safe. */
import { z } from 'zod';
import { rolloutMeasures } from './answers.ts';
import { preferenceMeasures } from './events.ts';
import { sourceRequest } from './models.ts';
import { overridesSchema } from './runs.ts';

/** `source`: a run, or a recipe: then its model before any training. */
export const evaluateRequest = sourceRequest.extend({
  set: overridesSchema,
  /** Of a run: the model as it was before training. */
  base: z.boolean().default(false),
});
export type EvaluateRequest = z.input<typeof evaluateRequest>;

export const evaluationSchema = z.object({
  source: z.string(),
  /** As the recipe names it. */
  baseModel: z.string(),
  /** Of the checkpoint; 0: before training. */
  step: z.int().min(0),
  /** Of the validation rows, by the objective of the recipe. */
  loss: z.number(),
  /** Where the loss is a mean over target tokens. */
  perplexity: z.number().optional(),
  ...preferenceMeasures,
  ...rolloutMeasures,
  documents: z.int().min(0),
  /** How many of them the run has trained on: their loss says what was memorized. Null where nobody can tell. */
  trained: z.int().min(0).nullable(),
});
export type Evaluation = z.infer<typeof evaluationSchema>;
