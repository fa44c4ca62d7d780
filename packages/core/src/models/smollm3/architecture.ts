import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const smollm3: Architecture = {
  modelType: 'smollm3',
  gguf: 'smollm3',
  huggingFaceClass: 'SmolLM3ForCausalLM',
  classificationClass: 'SmolLM3ForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
