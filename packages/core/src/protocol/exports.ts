/** What is handed on of a model. Browser-safe. */
import { z } from 'zod';
import { GGUF_TYPES } from '../export/ggufTypes.ts';
import { errorSchema } from './events.ts';
import { MERGED_TYPES } from './mergedTypes.ts';
import { sourceRequest } from './models.ts';

const bytes = z.int().min(0);
const count = z.int().min(0);
const form = z.enum(['lora', 'merged', 'gguf', 'ollama']);

export const exportRequest = sourceRequest.extend({
  /** The folder to write to; of a run by default its export folder. */
  to: z.string().min(1).optional(),
  /** The adapter as a PEFT folder. */
  lora: z.boolean().default(false),
  /** The whole model as a Hugging Face folder, in this type. */
  merged: z.enum(MERGED_TYPES).optional(),
  /** GGUF files for llama.cpp. */
  gguf: z.array(z.enum(GGUF_TYPES)).readonly().default([]),
  /** GGUF files are quantized by an importance matrix of the run's own training rows, */
  imatrix: z.boolean().default(false),
  /** about so many tokens of them; */
  imatrixTokens: z
    .int()
    .min(512)
    .max(2 ** 31)
    .default(65_536),
  /** or by that of this file, as llama.cpp's `llama-imatrix` writes it. */
  imatrixFile: z.string().min(1).optional(),
  /** A Modelfile beside the first GGUF file. */
  ollama: z.boolean().default(false),
  /** How much of the adapter's effect every form has. */
  adapterScale: z.number().min(0.01).max(10).default(1),
});
export type ExportRequest = z.input<typeof exportRequest>;

/** Tensors of a form that are written; of `imatrix` tokens that are read. */
export const exportProgressSchema = z.object({ form: z.string(), done: count, total: count });
export type ExportProgress = z.infer<typeof exportProgressSchema>;

export const exportedFormSchema = z.object({
  form,
  /** The folder or file to hand on. */
  path: z.string(),
  files: z.array(z.object({ path: z.string(), bytes })).readonly(),
  /** What the receiver will do differently from us, in sentences. */
  warnings: z.array(z.string()).readonly(),
});
export type ExportedForm = z.infer<typeof exportedFormSchema>;

/** What could be exported, and the bytes that each form would take. */
export const exportPlanSchema = z.object({
  /** Of a run the step of the checkpoint; null for a model that is none of a run. */
  step: count.nullable(),
  /** Where it would go; null where a folder has to be named. */
  target: z.string().nullable(),
  /** Free on the disk of the target, or here. */
  free: z.number().min(0),
  /** null: all weights were trained, or none. */
  lora: bytes.nullable(),
  /** Types that this model cannot be written in are absent; of `nf4_dynamic` the most it may take. */
  merged: z.partialRecord(z.enum(MERGED_TYPES), bytes),
  /** null where there can be no GGUF file, for the reason of `refusal`. */
  gguf: z.record(z.enum(GGUF_TYPES), bytes).nullable(),
  refusal: errorSchema.nullable(),
  /** Types that an importance matrix of the run's own rows makes better; none of what is no run. */
  imatrix: z.array(z.enum(GGUF_TYPES)).readonly(),
});
export type ExportPlan = z.infer<typeof exportPlanSchema>;

/** How a prompt was answered before and after: token for token, the likeliest each time. */
export const comparedPromptSchema = z.object({
  prompt: z.string(),
  /** Tokens of the answer before. */
  tokens: count,
  /** Of these, as many come out after the same beginning. */
  agreeing: count,
  /** The first that does not, counted from 0; null where all do. */
  partsAt: count.nullable(),
  /** The texts of the tokens there, before and after. */
  before: z.string().nullable(),
  after: z.string().nullable(),
  /** The largest lead, in logits, of a token of after over that of before. */
  margin: z.number().min(0),
  /** The prompt itself becomes the same tokens. */
  samePrompt: z.boolean(),
});
export type ComparedPrompt = z.infer<typeof comparedPromptSchema>;

export const paritySchema = z.object({
  /** ISO 8601, UTC. */
  time: z.string(),
  /** The same tokens are promised, near ties excepted: nothing was rounded to fewer than 16 bits. */
  promised: z.boolean(),
  prompts: z.array(comparedPromptSchema),
});
export type Parity = z.infer<typeof paritySchema>;

/** Below the folder of a record: plain names, none of them hidden. */
const pathBelow = z
  .string()
  .max(1024)
  .regex(/^(?!\.)[^\\/\p{C}]+(\/(?!\.)[^\\/\p{C}]+)*$/u);

/** Something that was exported, as the record beside it tells. */
export const exportEntrySchema = z.object({
  form,
  /** Of the weights, as it was asked for; null for an adapter and a Modelfile. */
  type: z.string().max(64).nullable(),
  /** The folder or file to hand on. */
  path: pathBelow,
  files: z.array(z.object({ path: pathBelow, bytes })).min(1),
  /** null for a model that is none of a run. */
  run: z.object({ id: z.string(), step: count }).nullable(),
  /** ISO 8601, UTC. */
  created: z.string(),
  warnings: z.array(z.string()),
  /** How much of the adapter's effect it has; absent where that is all. */
  adapterScale: z.number().positive().optional(),
  /** Of GGUF files that were quantized by an importance matrix: its file, or the tokens of the run's own rows. */
  imatrix: z.object({ file: z.string().max(1024).nullable(), tokens: count.nullable() }).optional(),
  /** Once it was compared with what it was made from. */
  parity: paritySchema.nullable(),
});
export type ExportEntry = z.infer<typeof exportEntrySchema>;

/** `anneal-export.json` */
export const exportRecordSchema = z.object({ version: z.literal(1), entries: z.array(exportEntrySchema).max(1000) });

export const listExportsRequest = z.strictObject({ run: z.string().min(1).default('latest') });
export type ListExportsRequest = z.input<typeof listExportsRequest>;

/** What a run was exported as, where it still is. */
export const listedExportSchema = exportEntrySchema.extend({
  /** The folder of its record, absolute. */
  folder: z.string(),
});
export type ListedExport = z.infer<typeof listedExportSchema>;

export const removeExportsRequest = listExportsRequest.extend({
  /** As `anneal exports ls` shows them. */
  paths: z.array(z.string().min(1)).min(1).readonly(),
});
export type RemoveExportsRequest = z.input<typeof removeExportsRequest>;

export const parityRequest = sourceRequest.extend({
  /** What was exported from the source: an adapter, a merged folder, a GGUF file; by default all of a run's that lie there. */
  exported: z.array(z.string().min(1)).readonly().optional(),
  /** By default the recipe's sample prompts, and without such a few of our own. */
  prompts: z.array(z.string().min(1)).readonly().optional(),
  /** Of each answer. */
  maxTokens: z.int().min(1).max(4096).default(32),
});
export type ParityRequest = z.input<typeof parityRequest>;

export const parityProgressSchema = z.object({
  /** What is asked: the source itself, or a path of what was exported. */
  model: z.string(),
  /** Tensors that are loaded, then prompts that are answered. */
  phase: z.enum(['loading', 'answering']),
  done: count,
  total: count,
});
export type ParityProgress = z.infer<typeof parityProgressSchema>;

export const comparedExportSchema = z.object({ path: z.string(), parity: paritySchema });
export type ComparedExport = z.infer<typeof comparedExportSchema>;

/** As a studio knows it: by its place in the workspace. */
export interface StudioExport extends ExportEntry {
  /** The folder or file to hand on, relative to the workspace, with `/`: what names it in requests and links. */
  key: string;
}

export interface StudioExportPlan extends ExportPlan {
  /** The checkpoints there are to choose from, oldest first; `metric` is the validation loss. */
  checkpoints: { step: number; metric: number | null; isBest: boolean }[];
}
