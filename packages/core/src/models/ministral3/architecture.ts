import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const ministral3: Architecture = {
  modelType: 'ministral3',
  gguf: 'mistral3',
  huggingFaceClass: 'Ministral3ForCausalLM',
  classificationClass: 'Ministral3ForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
