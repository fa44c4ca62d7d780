import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const glm4: Architecture = {
  modelType: 'glm4',
  gguf: 'glm4',
  huggingFaceClass: 'Glm4ForCausalLM',
  classificationClass: 'Glm4ForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
