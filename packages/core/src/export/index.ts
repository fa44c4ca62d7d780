import { exportGguf } from './gguf.ts';
import { exportLora } from './lora.ts';
import { exportMerged } from './merged.ts';
import { exportModelfile } from './modelfile.ts';

/** Every way out of Anneal; the names are those of `anneal export --to`. */
export const exportTargets = {
  /** A PEFT adapter folder, for vLLM, transformers and Anneal itself. */
  lora: exportLora,
  /** A Hugging Face folder with the adapter folded in. */
  merged: exportMerged,
  /** GGUF files for llama.cpp and what builds on it. */
  gguf: exportGguf,
  /** A Modelfile for Ollama beside a GGUF file. */
  modelfile: exportModelfile,
} as const;

export type ExportTarget = keyof typeof exportTargets;
