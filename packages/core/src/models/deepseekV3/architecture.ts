import type { Architecture } from '../architecture.ts';
import { leftOutPart, readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const deepseekV3: Architecture = {
  modelType: 'deepseek_v3',
  gguf: 'deepseek2',
  huggingFaceClass: 'DeepseekV3ForCausalLM',
  classificationClass: 'DeepseekV3ForSequenceClassification',
  readConfig,
  names,
  ggufPart,
  leftOutPart,
};
