import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const qwen35: Architecture = {
  modelType: 'qwen3_5_text',
  gguf: 'qwen35',
  huggingFaceClass: 'Qwen3_5ForCausalLM',
  classificationClass: 'Qwen3_5TextForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
