import type { JsonObject } from '@anneal/formats/json';
import type { GgufPart } from '../architecture.ts';
import type { ModelConfig } from '../config.ts';
import type { Fields } from '../fields.ts';
import { float32, uint32 } from '../gguf/writeMetadata.ts';
import { yarnAttentionFactor } from '../rope.ts';

/** llama.cpp's number for sigmoids among its gating functions. */
export const SIGMOID = 2;

/**
 * llama.cpp keeps latents in its cache, as if there were one head of keys: the key's and the value's part of kv_b lie apart, and sizes of the heads
 * as they come out of it are those with `mla`. Older files have kv_b whole, and those sizes under the usual keys.
 * llama.cpp has the product of YaRN's own scaling in the attention, by this logarithm's factor, and none in the rope.
 */
export const ggufPart: GgufPart = {
  configJson: (fields, common) => {
    const rotary = fields.count('rope.dimension_count');
    const head = fields.count('attention.key_length_mla', common['head_dim'] as number);
    const logFactor = fields.has('rope.scaling.yarn_log_multiplier')
      ? fields.positive('rope.scaling.yarn_log_multiplier') * 10
      : 0;
    return {
      qk_rope_head_dim: rotary,
      qk_nope_head_dim: head - rotary,
      num_key_value_heads: common['num_attention_heads'],
      v_head_dim: fields.count('attention.value_length_mla', fields.count('attention.value_length')),
      q_lora_rank: fields.has('attention.q_lora_rank') ? fields.count('attention.q_lora_rank') : null,
      kv_lora_rank: fields.count('attention.kv_lora_rank'),
      ...routedConfig(fields),
      rope_parameters: {
        ...(common['rope_parameters'] as JsonObject),
        partial_rotary_factor: 1,
        ...(logFactor > 0 && { mscale: logFactor, mscale_all_dim: logFactor }),
      },
    };
  },
  metadata: (config) => {
    const { latentAttention: latent } = config;
    if (!latent) throw new Error('no DeepSeek-V3');
    const logFactor = yarnLogFactor(config);
    return [
      uint32('attention.head_count_kv', 1),
      uint32('attention.key_length', latent.kvRank + config.rotarySize),
      uint32('attention.value_length', latent.kvRank),
      uint32('attention.key_length_mla', config.headSize),
      uint32('attention.value_length_mla', latent.valueSize),
      uint32('attention.kv_lora_rank', latent.kvRank),
      ...(latent.queryRank === null ? [] : [uint32('attention.q_lora_rank', latent.queryRank)]),
      ...routedMetadata(config),
      ...(logFactor > 0 ? [float32('rope.scaling.yarn_log_multiplier', logFactor / 10)] : []),
    ];
  },
  refusal: ({ rotaryPairs, rope: { scaling } }) => {
    if (rotaryPairs !== 'neighbors') return 'llama.cpp turns neighbors in deepseek2 (rope_interleave)';
    if (scaling?.kind === 'yarn' && scaling.attentionFactor !== 1)
      return 'llama.cpp has no attention factor of YaRN in deepseek2 (mscale as mscale_all_dim, or attention_factor: 1)';
    return null;
  },
  honorsWindow: false,
  hasOwnValueSize: true,
  scalesYarnItself: true,
};

/** Experts chosen by sigmoids, as config.json says it. */
export function routedConfig(fields: Fields): JsonObject {
  return {
    first_k_dense_replace: fields.count('leading_dense_block_count', 0, undefined, 0),
    n_routed_experts: fields.count('expert_count'),
    num_experts_per_tok: fields.count('expert_used_count'),
    moe_intermediate_size: fields.count('expert_feed_forward_length'),
    n_shared_experts: fields.count('expert_shared_count'),
    n_group: fields.count('expert_group_count', 1),
    topk_group: fields.count('expert_group_used_count', 1),
    norm_topk_prob: fields.boolean('expert_weights_norm', false),
    routed_scaling_factor: fields.positive('expert_weights_scale', 1),
    scoring_func: fields.raw('expert_gating_func') === SIGMOID ? 'sigmoid' : 'softmax',
  };
}

/** The same, as GGUF says it. */
export function routedMetadata({ experts }: ModelConfig): ReturnType<GgufPart['metadata']> {
  if (!experts?.sigmoid || !experts.shared) throw new Error('no experts chosen by sigmoids beside a shared one');
  return [
    uint32('leading_dense_block_count', experts.layers.filter((has) => !has).length),
    uint32('expert_count', experts.count),
    uint32('expert_used_count', experts.choices),
    uint32('expert_feed_forward_length', experts.intermediateSize),
    uint32('expert_shared_count', experts.shared.intermediateSize / experts.intermediateSize),
    uint32('expert_group_count', experts.sigmoid.groups),
    uint32('expert_group_used_count', experts.sigmoid.chosenGroups),
    ['expert_weights_norm', { type: 'bool', value: experts.normalized }],
    float32('expert_weights_scale', experts.sigmoid.scale),
    uint32('expert_gating_func', SIGMOID),
  ];
}

/** The factor of the logarithm in YaRN's scaling of scores (mscale_all_dim); 0 without it. */
function yarnLogFactor({ rope: { scaling }, attentionScale, headSize }: ModelConfig): number {
  if (scaling?.kind !== 'yarn') return 0;
  const scale = Math.sqrt(attentionScale * Math.sqrt(headSize));
  return Number(((scale - 1) / (yarnAttentionFactor(scaling.factor) - 1)).toPrecision(7));
}
