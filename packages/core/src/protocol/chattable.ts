/** The models that an agent can talk to, and those that it has loaded. Browser-safe. */
import { z } from 'zod';

/** What one talks to is named `<model>`, `<run>@<step>`, `<run>@best`, `<run>@latest`, or `<run>@base` for what was there before training. */
export const chattableSchema = z.object({
  /** Of a run its key, of a file or folder its path in the workspace, of a pulled model its name at the hub. */
  id: z.string(),
  kind: z.enum(['run', 'file', 'pulled']),
  name: z.string(),
  created: z.string(),
  /** The model that a run trains; null for others. */
  baseModel: z.string().nullable(),
  /** It has an adapter that can be left out: `@base`. */
  hasBase: z.boolean(),
  /** Steps of a run, ascending. */
  checkpoints: z.array(z.int()),
  /** The step with the lowest validation loss, where one was measured. */
  best: z.int().nullable(),
});
export type Chattable = z.infer<typeof chattableSchema>;

export const loadedModelSchema = z.object({
  /** As it was asked for first. */
  model: z.string(),
  state: z.enum(['loading', 'ready']),
  /** Tensors. */
  loaded: z.int(),
  total: z.int(),
  /** Of the engine: weights, cache and what lies between them; null until it is known. */
  bytes: z.number().nullable(),
  answering: z.boolean(),
  waiting: z.int(),
});
export type LoadedModel = z.infer<typeof loadedModelSchema>;
