import type { JsonObject } from '@anneal/formats/json';
import { UserError } from '../errors.ts';
import type { ModelConfig } from './config.ts';
import { Fields } from './fields.ts';
import { readConfig as readLlama } from './llama/config.ts';
import { names as llamaNames } from './llama/names.ts';
import { readConfig as readMistral } from './mistral/config.ts';
import { names as mistralNames } from './mistral/names.ts';
import type { NameTable } from './names.ts';
import { readConfig as readQwen2 } from './qwen2/config.ts';
import { names as qwen2Names } from './qwen2/names.ts';
import { readConfig as readQwen3 } from './qwen3/config.ts';
import { names as qwen3Names } from './qwen3/names.ts';

/** How the files of one architecture are read and written. */
export interface Architecture {
  /** `model_type` in config.json. */
  readonly modelType: ModelConfig['architecture'];
  /** `general.architecture` in GGUF, and the prefix of its keys. */
  readonly gguf: string;
  /** The class transformers loads it with. */
  readonly huggingFaceClass: string;
  readonly readConfig: (fields: Fields, generation: Fields | null) => ModelConfig;
  readonly names: NameTable;
}

export const architectures: readonly Architecture[] = [
  { modelType: 'llama', gguf: 'llama', huggingFaceClass: 'LlamaForCausalLM', readConfig: readLlama, names: llamaNames },
  {
    modelType: 'mistral',
    gguf: 'llama',
    huggingFaceClass: 'MistralForCausalLM',
    readConfig: readMistral,
    names: mistralNames,
  },
  { modelType: 'qwen2', gguf: 'qwen2', huggingFaceClass: 'Qwen2ForCausalLM', readConfig: readQwen2, names: qwen2Names },
  { modelType: 'qwen3', gguf: 'qwen3', huggingFaceClass: 'Qwen3ForCausalLM', readConfig: readQwen3, names: qwen3Names },
];

/** @throws UserError for an architecture that is not listed above */
export function architectureOf(modelType: string, where: string): Architecture {
  const found = architectures.find((architecture) => architecture.modelType === modelType);
  if (found) return found;
  throw new UserError({
    what: `model type ${modelType} is not implemented; known are ${architectures.map((a) => a.modelType).join(', ')}`,
    where,
    next: 'use a model of one of these types, or add the architecture (docs/add-a-model.md)',
    code: 'model_unsupported',
  });
}

/**
 * @param config the content of config.json
 * @param generation the content of generation_config.json, for the end tokens it adds
 * @param where what errors name as the place
 * @throws UserError where the config is wrong or the model needs something that is not implemented
 */
export function readConfig(config: JsonObject, generation: JsonObject | null, where: string): ModelConfig {
  const fields = new Fields(config, where);
  const architecture = architectureOf(fields.string('model_type'), where);
  return architecture.readConfig(fields, generation && new Fields(generation, `${where}: generation config`));
}
