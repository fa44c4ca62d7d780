import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const lfm2: Architecture = {
  modelType: 'lfm2',
  gguf: 'lfm2',
  huggingFaceClass: 'Lfm2ForCausalLM',
  readConfig,
  names,
  ggufPart,
};
