import type { JsonObject } from '@anneal/formats/json';
import { closest } from '../closest.ts';
import { UserError } from '../errors.ts';
import type { Architecture } from './architecture.ts';
import type { ModelConfig } from './config.ts';
import { deepseekV3 } from './deepseekV3/architecture.ts';
import { Fields } from './fields.ts';
import { gemma2 } from './gemma2/architecture.ts';
import { gemma3 } from './gemma3/architecture.ts';
import { gemma3n } from './gemma3n/architecture.ts';
import { gemma4 } from './gemma4/architecture.ts';
import { glm4 } from './glm4/architecture.ts';
import { glm4Moe } from './glm4Moe/architecture.ts';
import { gptOss } from './gptOss/architecture.ts';
import { granite } from './granite/architecture.ts';
import { granite4 } from './granite4/architecture.ts';
import { lfm2 } from './lfm2/architecture.ts';
import { llama } from './llama/architecture.ts';
import { ministral3 } from './ministral3/architecture.ts';
import { mistral } from './mistral/architecture.ts';
import { olmo2 } from './olmo2/architecture.ts';
import { olmo3 } from './olmo3/architecture.ts';
import { phi3 } from './phi3/architecture.ts';
import { qwen2 } from './qwen2/architecture.ts';
import { qwen3 } from './qwen3/architecture.ts';
import { qwen3Moe } from './qwen3Moe/architecture.ts';
import { qwen35 } from './qwen35/architecture.ts';
import { qwen35Moe } from './qwen35Moe/architecture.ts';
import { seedOss } from './seedOss/architecture.ts';
import { smollm3 } from './smollm3/architecture.ts';

export const architectures: readonly Architecture[] = [
  llama,
  mistral,
  qwen2,
  qwen3,
  gemma2,
  gemma3,
  phi3,
  smollm3,
  olmo3,
  granite,
  glm4,
  ministral3,
  granite4,
  qwen3Moe,
  lfm2,
  gptOss,
  qwen35,
  qwen35Moe,
  deepseekV3,
  gemma4,
  gemma3n,
  olmo2,
  glm4Moe,
  seedOss,
];

/** To types whose names say little of what they compute, the one here that shares the most of it. */
export const NEAREST: ReadonlyMap<string, string> = new Map([
  ['apertus', 'qwen3'],
  ['arcee', 'llama'],
  ['aya_vision', 'gemma2'],
  ['baichuan', 'llama'],
  ['bamba', 'granitemoehybrid'],
  ['bitnet', 'llama'],
  ['chatglm', 'glm4'],
  ['cohere', 'gemma2'],
  ['cohere2', 'gemma2'],
  ['dbrx', 'qwen3_moe'],
  ['diffllama', 'llama'],
  ['dots1', 'glm4_moe'],
  ['ernie4_5', 'llama'],
  ['ernie4_5_moe', 'glm4_moe'],
  ['ernie4_5_vl_moe', 'glm4_moe'],
  ['exaone', 'llama'],
  ['exaone4', 'olmo3'],
  ['exaone_moe', 'glm4_moe'],
  ['falcon', 'llama'],
  ['falcon_h1', 'granitemoehybrid'],
  ['falcon_mamba', 'granitemoehybrid'],
  ['flex_olmo', 'olmo2'],
  ['glm4_moe_lite', 'deepseek_v3'],
  ['glm_moe_dsa', 'deepseek_v3'],
  ['granitemoe', 'granitemoehybrid'],
  ['helium', 'llama'],
  ['hunyuan_v1_dense', 'qwen3'],
  ['hunyuan_v1_moe', 'qwen3_moe'],
  ['idefics3', 'llama'],
  ['internlm2', 'llama'],
  ['internlm3', 'llama'],
  ['internvl', 'qwen3'],
  ['jamba', 'granitemoehybrid'],
  ['kimi_k2', 'deepseek_v3'],
  ['kimi_k25', 'deepseek_v3'],
  ['kimi_linear', 'qwen3_5_moe_text'],
  ['lfm2_moe', 'lfm2'],
  ['llama4', 'llama'],
  ['llama4_text', 'llama'],
  ['llava_next', 'mistral'],
  ['longcat_flash', 'deepseek_v3'],
  ['mamba2', 'granitemoehybrid'],
  ['minicpm', 'granite'],
  ['minicpm3', 'deepseek_v3'],
  ['minimax', 'qwen3_moe'],
  ['minimax_m2', 'qwen3_moe'],
  ['mistral4', 'deepseek_v3'],
  ['mixtral', 'qwen3_moe'],
  ['nanochat', 'qwen3'],
  ['nemotron', 'llama'],
  ['nemotron_h', 'granitemoehybrid'],
  ['olmo_hybrid', 'qwen3_5_text'],
  ['olmoe', 'qwen3_moe'],
  ['paligemma', 'gemma2'],
  ['phi4_multimodal', 'phi3'],
  ['phimoe', 'qwen3_moe'],
  ['qwen3_next', 'qwen3_5_moe_text'],
  ['smolvlm', 'llama'],
  ['stablelm', 'llama'],
  ['starcoder2', 'qwen2'],
  ['vaultgemma', 'gemma2'],
  ['zamba2', 'granitemoehybrid'],
]);

/** @throws UserError for an architecture that is not listed above */
export function architectureOf(modelType: string, where: string): Architecture {
  const found = architectures.find((architecture) => architecture.modelType === modelType);
  if (found) return found;
  const known = architectures.map((architecture) => architecture.modelType);
  const nearest = NEAREST.get(modelType) ?? closest(modelType, known);
  throw new UserError({
    what:
      `model type ${modelType} is not implemented; ` +
      `${nearest === undefined ? '' : `the nearest one that is: ${nearest}; `}known are ${known.join(', ')}`,
    where,
    next: 'use a model of one of these types, or add the architecture: docs/add-a-model.md shows how',
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
