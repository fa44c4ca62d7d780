import type { Architecture } from '../architecture.ts';
import { readConfig } from './config.ts';
import { ggufPart } from './gguf.ts';
import { names } from './names.ts';

export const seedOss: Architecture = {
  modelType: 'seed_oss',
  gguf: 'seed_oss',
  huggingFaceClass: 'SeedOssForCausalLM',
  classificationClass: 'SeedOssForSequenceClassification',
  readConfig,
  names,
  ggufPart,
};
