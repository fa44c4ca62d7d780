import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { names } from './names.ts';

export const mistral: Architecture = {
  modelType: 'mistral',
  gguf: 'llama',
  huggingFaceClass: 'MistralForCausalLM',
  classificationClass: 'MistralForSequenceClassification',
  readConfig,
  names,
};
