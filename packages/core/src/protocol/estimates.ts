/** What a run would be, before it is one. Browser-safe. */
import { z } from 'zod';
import { preparedSummarySchema } from './data.ts';
import { errorSchema, warningSchema } from './events.ts';
import { checkRecipeRequest } from './recipes.ts';

const bytes = z.number().min(0);
const count = z.int().min(0);

const room = z.object({ needed: bytes, available: bytes });
/** Bytes by class; `total` is what the run allocates on the device; `libraries`, `driver` and `host` are beside it. */
const memory = z.object({ total: bytes, libraries: bytes, driver: bytes, host: bytes }).catchall(bytes);

/** Rows that have been read, rendered and tokenized so far. */
export const preparationSchema = z.discriminatedUnion('phase', [
  /** Before any row is read, where the memory does not depend on them. */
  z.object({
    phase: z.literal('planned'),
    memory,
    /** What it needs and what is free, in bytes. */
    fit: z.object({ memory: room, /** Of the host, beside the device's. */ host: room }),
  }),
  z.object({ phase: z.literal('preparing'), file: z.string(), rows: count, rowsOfFile: count }),
  z.object({ phase: z.literal('prepared') }),
]);
export type PreparationProgress = z.infer<typeof preparationSchema>;
export type PlannedMemory = Extract<PreparationProgress, { phase: 'planned' }>;

export const estimateSchema = z.object({
  model: z.object({ path: z.string(), architecture: z.string(), trainableParameters: count }),
  data: preparedSummarySchema,
  steps: z.object({ total: count, perEpoch: count, maxTokens: count, packingEfficiency: z.number() }),
  weightType: z.enum(['f32', 'bf16']),
  /** What is done to save memory: in how many layers, the bytes that saves, the time expected of it in a batch. */
  savings: z.array(
    z.object({
      /** It is computed again, is copied to the host's memory and back, or lies there. */
      how: z.enum(['recompute', 'offload', 'place']),
      what: z.string(),
      layers: count,
      bytes,
      milliseconds: z.number(),
    }),
  ),
  memory,
  /** What it needs and what is free, in bytes. */
  fit: z.object({
    memory: room,
    /** Of the host, beside the device's. */
    host: room,
    disk: room.extend({
      /** Where the run would lie. */
      folder: z.string(),
      checkpoint: bytes,
      /** Most that lie there at a time: those that are kept, the best, and the one that is being written. */
      checkpoints: count,
    }),
  }),
  /** What `train` would warn of. */
  warnings: z.array(warningSchema),
  /** Why it does not fit. */
  error: errorSchema.optional(),
});
export type Estimate = z.infer<typeof estimateSchema>;

export const estimateRequest = checkRecipeRequest.extend({
  /**
   * For one of many while a recipe is written: prepared data are taken as they are, and those of more bytes are not prepared but
   * refused (`data_not_prepared`). Without it all is prepared and read through.
   */
  mostBytesPrepared: bytes.optional(),
});
export type EstimateRequest = z.input<typeof estimateRequest>;

/** An estimate while a recipe is written: what is known so far. */
export type LiveEstimate =
  /** Another one is made first. */
  | { stage: 'waiting' }
  | { stage: 'preparing'; file: string; rows: number; rowsOfFile: number }
  | { stage: 'planning' }
  /** The end where many data are not prepared; `planned` is what does not depend on them. */
  | { stage: 'unprepared'; error: z.infer<typeof errorSchema>; planned: PlannedMemory | null }
  | {
      stage: 'estimated';
      estimate: Estimate;
      /** The one that the recipe means. */
      device: string;
      /** All of them, with what is free there in bytes; null where nothing tells. */
      devices: readonly { name: string; free: number | null }[];
      /** What the training takes at the speed of the newest run of this model, adapter and device; null where there is none. */
      time: { seconds: number; run: string } | null;
    };
