import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const granite: Architecture = {
  modelType: 'granite',
  gguf: 'granite',
  huggingFaceClass: 'GraniteForCausalLM',
  readConfig,
  names,
  ggufPart,
};
