import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const gemma2: Architecture = {
  modelType: 'gemma2',
  gguf: 'gemma2',
  huggingFaceClass: 'Gemma2ForCausalLM',
  classificationClass: 'Gemma2ForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
