/** What is handed on of a model. Browser-safe. */
import { z } from 'zod';
import { GGUF_TYPES } from '../export/ggufTypes.ts';
import { sourceRequest } from './models.ts';

export const exportRequest = sourceRequest.extend({
  /** The folder to write to; of a run by default its export folder. */
  to: z.string().min(1).optional(),
  /** The adapter as a PEFT folder. */
  lora: z.boolean().default(false),
  /** The whole model as a Hugging Face folder, in this type. */
  merged: z.enum(['bf16', 'f16', 'f32']).optional(),
  /** GGUF files for llama.cpp. */
  gguf: z.array(z.enum(GGUF_TYPES)).readonly().default([]),
  /** A Modelfile beside the first GGUF file. */
  ollama: z.boolean().default(false),
});
export type ExportRequest = z.input<typeof exportRequest>;

/** Tensors of a form that are written. */
export const exportProgressSchema = z.object({ form: z.string(), done: z.int().min(0), total: z.int().min(0) });
export type ExportProgress = z.infer<typeof exportProgressSchema>;

export const exportedFormSchema = z.object({
  form: z.enum(['lora', 'merged', 'gguf', 'ollama']),
  /** The folder or file to hand on. */
  path: z.string(),
  files: z.array(z.object({ path: z.string(), bytes: z.int().min(0) })).readonly(),
  /** What the receiver will do differently from us, in sentences. */
  warnings: z.array(z.string()).readonly(),
});
export type ExportedForm = z.infer<typeof exportedFormSchema>;
