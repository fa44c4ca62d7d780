import type { Architecture } from '../architecture.ts';
import { withoutGguf } from '../gguf/withoutGguf.ts';
import { leftOutPart, readConfig } from './config.ts';
import { names } from './names.ts';

export const gemma4: Architecture = {
  modelType: 'gemma4_text',
  gguf: 'gemma4',
  huggingFaceClass: 'Gemma4ForCausalLM',
  readConfig,
  names,
  ggufPart: withoutGguf('GGUF files of Gemma 4 are not implemented'),
  leftOutPart,
};
