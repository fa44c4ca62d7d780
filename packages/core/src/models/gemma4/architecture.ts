import type { Architecture } from '../architecture.ts';
import { leftOutPart, readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const gemma4: Architecture = {
  modelType: 'gemma4_text',
  gguf: 'gemma4',
  huggingFaceClass: 'Gemma4ForCausalLM',
  readConfig,
  names,
  ggufPart,
  leftOutPart,
};
