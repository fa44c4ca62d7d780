import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { names } from './names.ts';

export const qwen3: Architecture = {
  modelType: 'qwen3',
  gguf: 'qwen3',
  huggingFaceClass: 'Qwen3ForCausalLM',
  classificationClass: 'Qwen3ForSequenceClassification',
  readConfig,
  names,
};
