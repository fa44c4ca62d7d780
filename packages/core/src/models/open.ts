import { statSync } from 'node:fs';
import { refuseSpecialFile } from '@anneal/formats/files/regularFile';
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
  const status = statSync(path, { throwIfNoEntry: false });
  const isGguf = path.toLowerCase().endsWith('.gguf') && status !== undefined && !status.isDirectory();
  if (isGguf) refuseSpecialFile(path);
  return isGguf ? openGgufModel(path) : openHuggingFaceModel(path);
}
