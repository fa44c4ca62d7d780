import type { Architecture } from '../architecture.ts';
import { withoutGguf } from '../gguf/withoutGguf.ts';
import { readConfig } from './config.ts';
import { names } from './names.ts';

export const granite4: Architecture = {
  modelType: 'granitemoehybrid',
  gguf: 'granitehybrid',
  huggingFaceClass: 'GraniteMoeHybridForCausalLM',
  readConfig,
  names,
  ggufPart: withoutGguf('GGUF files of Granite 4, which hold gate and up apart, are not implemented'),
};
