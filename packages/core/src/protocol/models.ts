/** What a client asks of models, and what it is told. Browser-safe. */
import { z } from 'zod';
import { errorSchema } from './events.ts';

/** What a person means by a model: a run with what it trained, an adapter, or a model as it is. */
export const sourceRequest = z.strictObject({
  /** A run (id, path, `latest`), an adapter folder, a model folder, a GGUF file, or a name that was pulled. */
  source: z.string().min(1),
  /** Of a run: `best`, `latest` or the number of a step; by default best where the recipe asks for it, else latest. */
  checkpoint: z.string().min(1).optional(),
});
export type SourceRequest = z.input<typeof sourceRequest>;

export const pullRequest = z.strictObject({
  /** A short name, `owner/model`, or `owner/model/file.gguf`; with `data` a data set, `owner/name`. */
  model: z.string().min(1),
  /** A data set is meant: one split of one subset of it, or the files that are named. */
  data: z
    .strictObject({
      name: z.string().min(1).optional(),
      split: z.string().min(1).optional(),
      files: z.array(z.string().min(1)).min(1).readonly().optional(),
    })
    .optional(),
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

/** It is not the model as published but a GGUF copy of it, quantized to 4 bits a weight: no hub answered when it was fetched. */
const isCopy = z.boolean();

export const pulledModelSchema = z.object({
  model: z.string(),
  /** A folder, or a GGUF file. */
  path: z.string(),
  isCopy,
  /** Why the model cannot be opened. */
  error: errorSchema.nullable(),
});
export type PulledModel = z.infer<typeof pulledModelSchema>;

/** A model that has a short name. */
export const catalogSchema = z.array(z.object({ name: z.string(), id: z.string() }));
export type Catalog = z.infer<typeof catalogSchema>;

const bytes = z.number().min(0);

export const listModelsRequest = z.strictObject({
  /** Folders and GGUF files beside what was pulled. */
  paths: z.array(z.string().min(1)).readonly().default([]),
  /** Run directories: which of them need which model is told. */
  runs: z.array(z.string().min(1)).readonly().default([]),
});
export type ListModelsRequest = z.input<typeof listModelsRequest>;

/** A model that is here. */
export const localModelSchema = z.object({
  /** As `base_model` and `anneal pull` name it: `owner/model`, or a path. */
  name: z.string(),
  /** The folder or GGUF file that it is opened by; of what is not whole the folder of its parts. */
  path: z.string(),
  place: z.enum(['cache', 'folder']),
  /** It has arrived, and was checked against the hashes of its source. */
  isWhole: z.boolean(),
  bytes,
  format: z.enum(['huggingface', 'gguf']).nullable(),
  architecture: z.string().nullable(),
  parameters: z.int().min(0).nullable(),
  /** Of the weights, the most bytes first. */
  types: z.array(z.string()),
  hasChatTemplate: z.boolean().nullable(),
  /** As its source names it. */
  license: z.string().nullable(),
  /** Where it was pulled from, and which revision was asked for and came. */
  source: z.string().nullable(),
  revision: z.string().nullable(),
  commit: z.string().nullable(),
  isCopy,
  /** Ids of the runs that need it. */
  runs: z.array(z.string()),
  /** Why it cannot be opened. */
  error: errorSchema.nullable(),
});
export type LocalModel = z.infer<typeof localModelSchema>;

export const cachedModelRequest = z.strictObject({
  /** A model of the cache by its name, or the path of its folder as `anneal models ls` shows it. */
  model: z.string().min(1),
});
export type CachedModelRequest = z.input<typeof cachedModelRequest>;

export const removeModelRequest = cachedModelRequest.extend({
  /** Run directories: a model that one of them needs is not removed. */
  runs: z.array(z.string().min(1)).readonly().default([]),
});
export type RemoveModelRequest = z.input<typeof removeModelRequest>;

/** Bytes of the files that are hashed. */
export const checkModelProgressSchema = z.object({ file: z.string(), done: bytes, total: bytes });
export type CheckModelProgress = z.infer<typeof checkModelProgressSchema>;

export const checkedModelSchema = z.object({
  path: z.string(),
  files: z.array(z.object({ path: z.string(), bytes, isSame: z.boolean() })),
});
export type CheckedModel = z.infer<typeof checkedModelSchema>;
