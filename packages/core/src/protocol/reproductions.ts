/** A run that is done again from what it recorded, and whether it comes out the same. Browser-safe. */
import { z } from 'zod';
import { environmentSchema } from './events.ts';
import { runRequest } from './runs.ts';

export const reproduceRequest = runRequest.extend({
  /** The last step to repeat; default: that of the newest checkpoint, or the last one on record where there is none. */
  until: z.int().min(1).optional(),
  /** A folder of runs in which the repetition is kept; default: it is removed once it is compared. */
  into: z.string().min(1).optional(),
});
export type ReproduceRequest = z.input<typeof reproduceRequest>;

export type ReproductionProgress =
  /** Files of the model, of the data, and of the run's checkpoints are compared with their hashes. */
  | { phase: 'checking'; what: string }
  | { phase: 'preparing' }
  /** `original`: the loss that the run recorded for this step. */
  | { phase: 'training'; step: number; until: number; loss: number | null; original: number | null | undefined }
  | { phase: 'comparing'; step: number };

const tensorDifferenceSchema = z.object({
  tensor: z.string(),
  /** Elements of it, and how many of them have other bits. */
  elements: z.int(),
  differing: z.int(),
  /** Of the absolute differences; null where they are not numbers of floating point, or one is not finite. */
  largest: z.number().nullable(),
});
export type TensorDifference = z.infer<typeof tensorDifferenceSchema>;

export const fileDifferenceSchema = z.object({
  file: z.string(),
  what: z.enum(['content', 'missing', 'added']),
  /** Of a safetensors file: those that differ, in the order of their names. */
  tensors: z.array(tensorDifferenceSchema),
});
export type FileDifference = z.infer<typeof fileDifferenceSchema>;

export const reproductionSchema = z.object({
  id: z.string(),
  until: z.int(),
  /** Every compared loss and every compared checkpoint has the same bits. */
  agrees: z.boolean(),
  /** Steps whose loss both have on record. */
  steps: z.int(),
  firstDifference: z
    .object({ step: z.int(), original: z.number().nullable(), repeated: z.number().nullable() })
    .nullable(),
  checkpoints: z.array(z.object({ step: z.int(), differences: z.array(fileDifferenceSchema) })),
  /** Where the original was made, as far as it says, and where the repetition was. */
  environments: z.object({ original: environmentSchema.nullable(), repeated: environmentSchema.nullable() }),
  /** Path of the repetition, where it was kept. */
  kept: z.string().nullable(),
});
export type Reproduction = z.infer<typeof reproductionSchema>;
