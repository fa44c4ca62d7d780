import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { names } from './names.ts';

export const llama: Architecture = {
  modelType: 'llama',
  gguf: 'llama',
  huggingFaceClass: 'LlamaForCausalLM',
  classificationClass: 'LlamaForSequenceClassification',
  readConfig,
  names,
};
