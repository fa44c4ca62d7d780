import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const gptOss: Architecture = {
  modelType: 'gpt_oss',
  gguf: 'gpt-oss',
  huggingFaceClass: 'GptOssForCausalLM',
  classificationClass: 'GptOssForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
