import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const qwen3Moe: Architecture = {
  modelType: 'qwen3_moe',
  gguf: 'qwen3moe',
  huggingFaceClass: 'Qwen3MoeForCausalLM',
  classificationClass: 'Qwen3MoeForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
