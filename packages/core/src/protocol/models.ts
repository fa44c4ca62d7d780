/** What a client asks of models, and what it is told. Browser-safe. */
import { z } from 'zod';

/** What a person means by a model: a run with what it trained, an adapter, or a model as it is. */
export const sourceRequest = z.object({
  /** A run (id, path, `latest`), an adapter folder, a model folder, a GGUF file, or a name that was pulled. */
  source: z.string().min(1),
  /** Of a run: `best`, `latest` or the number of a step; by default best where the recipe asks for it, else latest. */
  checkpoint: z.string().min(1).optional(),
});
export type SourceRequest = z.input<typeof sourceRequest>;

export const pullRequest = z.object({
  /** A short name, `owner/model`, or `owner/model/file.gguf`. */
  model: z.string().min(1),
  /** Branch, tag or commit at the hub. */
  revision: z.string().min(1).optional(),
  /** Use only what is in the cache. */
  offline: z.boolean().optional(),
});
export type PullRequest = z.input<typeof pullRequest>;

export const pullProgressSchema = z.object({
  phase: z.enum(['waiting', 'asking', 'downloading', 'failed']),
  /** For instance `Hugging Face Hub (huggingface.co)`; empty while waiting for another pull of the same model. */
  source: z.string(),
  file: z.string().optional(),
  receivedBytes: z.number().min(0).optional(),
  totalBytes: z.number().min(0).optional(),
  /** Why a source failed; the next one is tried. */
  reason: z.string().optional(),
});
export type PullProgress = z.infer<typeof pullProgressSchema>;

export const pulledModelSchema = z.object({
  model: z.string(),
  /** A folder, or a GGUF file. */
  path: z.string(),
  /** It is not the model as published but a GGUF copy of it, quantized to 4 bits a weight: no hub answered when it was fetched. */
  isCopy: z.boolean(),
});
export type PulledModel = z.infer<typeof pulledModelSchema>;

/** A model that has a short name. */
export const catalogueSchema = z.array(z.object({ name: z.string(), id: z.string() }));
export type Catalogue = z.infer<typeof catalogueSchema>;
