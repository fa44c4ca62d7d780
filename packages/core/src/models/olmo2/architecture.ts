import type { Architecture } from '../architecture.ts';
import { names } from '../olmo3/names.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';

export const olmo2: Architecture = {
  modelType: 'olmo2',
  gguf: 'olmo2',
  huggingFaceClass: 'Olmo2ForCausalLM',
  classificationClass: 'Olmo2ForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
