import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const phi3: Architecture = {
  modelType: 'phi3',
  gguf: 'phi3',
  huggingFaceClass: 'Phi3ForCausalLM',
  classificationClass: 'Phi3ForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
