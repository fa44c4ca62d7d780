import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const olmo3: Architecture = {
  modelType: 'olmo3',
  gguf: 'olmo2',
  huggingFaceClass: 'Olmo3ForCausalLM',
  classificationClass: 'Olmo3ForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
