import type { Architecture } from '../architecture.ts';
import { withoutGguf } from '../gguf/withoutGguf.ts';
import { readConfig } from './config.ts';
import { names } from './names.ts';

export const qwen35: Architecture = {
  modelType: 'qwen3_5_text',
  gguf: 'qwen35',
  huggingFaceClass: 'Qwen3_5ForCausalLM',
  classificationClass: 'Qwen3_5TextForSequenceClassification',
  readConfig,
  names,
  ggufPart: withoutGguf('GGUF files of Qwen3.5, which order its heads otherwise, are not implemented'),
};
