import type { Architecture } from '../architecture.ts';
import { withoutGguf } from '../gguf/withoutGguf.ts';
import { readConfig } from './config.ts';
import { names } from './names.ts';

export const qwen35Moe: Architecture = {
  modelType: 'qwen3_5_moe_text',
  gguf: 'qwen35moe',
  huggingFaceClass: 'Qwen3_5MoeForCausalLM',
  readConfig,
  names,
  ggufPart: withoutGguf('GGUF files of Qwen3.5, which order its heads otherwise, are not implemented'),
};
