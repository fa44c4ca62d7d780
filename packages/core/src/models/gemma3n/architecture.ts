import type { Architecture } from '../architecture.ts';
import { leftOutPart } from '../gemma4/config.ts';
import { withoutGguf } from '../gguf/withoutGguf.ts';
import { readConfig } from './config.ts';
import { names } from './names.ts';

export const gemma3n: Architecture = {
  modelType: 'gemma3n_text',
  gguf: 'gemma3n',
  huggingFaceClass: 'Gemma3nForCausalLM',
  readConfig,
  names,
  ggufPart: withoutGguf('GGUF files of Gemma 3n are not implemented'),
  leftOutPart,
};
