import { statSync } from 'node:fs';
import { openGgufModel } from './gguf/open.ts';
import { openHuggingFaceModel } from './huggingFace/open.ts';
import type { OpenModel } from './model.ts';

export type { ModelTensor, OpenModel } from './model.ts';

/**
 * Opens a Hugging Face folder (safetensors) or a GGUF file. Config, names, shapes and types of all tensors are
 * checked; no weight is read.
 * @throws UserError for pickles, unknown architectures, missing or surplus tensors, wrong shapes, malformed files
 */
export function openModel(path: string): OpenModel {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
  return isFile && path.toLowerCase().endsWith('.gguf') ? openGgufModel(path) : openHuggingFaceModel(path);
}
