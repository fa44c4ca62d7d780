import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const granite4: Architecture = {
  modelType: 'granitemoehybrid',
  gguf: 'granitehybrid',
  huggingFaceClass: 'GraniteMoeHybridForCausalLM',
  readConfig,
  names,
  ggufPart,
};
