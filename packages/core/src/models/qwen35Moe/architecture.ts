import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const qwen35Moe: Architecture = {
  modelType: 'qwen3_5_moe_text',
  gguf: 'qwen35moe',
  huggingFaceClass: 'Qwen3_5MoeForCausalLM',
  readConfig,
  names,
  ggufPart,
};
