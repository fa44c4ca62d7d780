import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { names } from './names.ts';

export const qwen2: Architecture = {
  modelType: 'qwen2',
  gguf: 'qwen2',
  huggingFaceClass: 'Qwen2ForCausalLM',
  classificationClass: 'Qwen2ForSequenceClassification',
  readConfig,
  names,
};
