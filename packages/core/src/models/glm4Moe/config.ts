import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import { readExperts } from '../deepseekV3/config.ts';
import type { Fields } from '../fields.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = {
  num_attention_heads: 96,
  num_key_value_heads: 8,
  rms_norm_eps: 1e-5,
  partial_rotary_factor: 0.5,
  n_routed_experts: 128,
  moe_intermediate_size: 1408,
  n_group: 1,
  topk_group: 1,
  first_k_dense_replace: 1,
  routed_scaling_factor: 1,
};

/** GLM-4.5 to 4.7 and their Air: attention as in Llama of half of each head, the experts of DeepSeek-V3. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  return readDecoderConfig(fields, generation, {
    architecture: 'glm4_moe',
    partialRotary: true,
    experts: (layerCount) => readExperts(fields, layerCount),
    config: {
      attentionBias: fields.boolean('attention_bias', false),
      qkNorm: fields.boolean('use_qk_norm', false) ? 'each_head' : null,
    },
  });
}
