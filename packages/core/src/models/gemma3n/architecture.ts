import type { Architecture } from '../architecture.ts';
import { leftOutPart } from '../gemma4/config.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const gemma3n: Architecture = {
  modelType: 'gemma3n_text',
  gguf: 'gemma3n',
  huggingFaceClass: 'Gemma3nForCausalLM',
  readConfig,
  names,
  ggufPart,
  leftOutPart,
};
