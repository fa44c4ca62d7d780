import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const gemma3: Architecture = {
  modelType: 'gemma3_text',
  gguf: 'gemma3',
  huggingFaceClass: 'Gemma3ForCausalLM',
  classificationClass: 'Gemma3TextForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
