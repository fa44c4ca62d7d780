import type { Architecture } from '../architecture.ts';
import { leftOutPart } from '../deepseekV3/config.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const glm4Moe: Architecture = {
  modelType: 'glm4_moe',
  gguf: 'glm4moe',
  huggingFaceClass: 'Glm4MoeForCausalLM',
  readConfig,
  names,
  ggufPart,
  leftOutPart,
};
