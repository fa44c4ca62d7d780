import type { ExpertsConfig, ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { readAlternatingWindows } from '../layerTypes.ts';
import { readBalanceLoss } from '../readBalanceLoss.ts';

/** Of the activation in every published model; transformers and llama.cpp have both in their code. */
const [ALPHA, LIMIT] = [1.702, 7];

/** What transformers takes where config.json has neither rope_parameters nor rope_scaling. */
const ROPE = { rope_type: 'yarn', factor: 32, original_max_position_embeddings: 4096, truncate: false };

/** Attention with sinks and, in every other layer, a window; experts in all layers. */
export function readConfig(given: Fields, generation: Fields | null): ModelConfig {
  const fields = given.withDefaults({
    num_key_value_heads: 8,
    head_dim: 64,
    sliding_window: 128,
    rms_norm_eps: 1e-5,
    attention_bias: true,
    rope_theta: 150_000,
  });
  const attentionBias = fields.boolean('attention_bias', true);
  return readDecoderConfig(fields, generation, {
    architecture: 'gpt_oss',
    defaultRope: ROPE,
    slidingWindow: (layerCount) => readAlternatingWindows(fields, layerCount, 2),
    experts: (layerCount) => readExperts(fields, layerCount),
    readsMxfp4: true,
    config: { attentionBias, outputBias: attentionBias, attentionSinks: true },
  });
}

function readExperts(fields: Fields, layerCount: number): ExpertsConfig {
  if (fields.has('swiglu_limit') && fields.raw('swiglu_limit') !== LIMIT) {
    throw fields.unsupported(
      `swiglu_limit ${JSON.stringify(fields.raw('swiglu_limit'))} is not implemented, only ${LIMIT}, as transformers has it`,
      'use a model with that limit',
    );
  }
  const count = fields.count('num_local_experts', 128);
  return {
    ...readBalanceLoss(fields),
    count,
    choices: fields.count('num_experts_per_tok', 4, count),
    intermediateSize: fields.count('intermediate_size'),
    normalized: true,
    bias: true,
    activation: { alpha: ALPHA, limit: LIMIT, upOffset: 1 },
    sigmoid: null,
    shared: null,
    besideMlp: false,
    layers: Array.from({ length: layerCount }, () => true),
  };
}
