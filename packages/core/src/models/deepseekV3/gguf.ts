import type { JsonObject } from '@anneal/formats/json';
import type { GgufPart } from '../architecture.ts';
import type { ModelConfig } from '../config.ts';
import { float32, uint32 } from '../gguf/writeMetadata.ts';
import { yarnAttentionFactor } from '../rope.ts';

/** llama.cpp's number for sigmoids among its gating functions. */
const SIGMOID = 2;

/**
 * With the matrix of keys and values whole (attn_kv_b). Newer files have it in two parts, turned for a cache of latents: llama.cpp reads both.
 * llama.cpp has the product of YaRN's own scaling in the attention, by this logarithm's factor, and none in the rope.
 */
export const ggufPart: GgufPart = {
  configJson: (fields, common, source) => {
    if (source.tensors.has('blk.0.attn_k_b.weight')) {
      throw fields.unsupported(
        'keys and values in two matrices (attn_k_b, attn_v_b) are not implemented',
        "use the model's Hugging Face folder",
      );
    }
    const [rotary, head] = [fields.count('rope.dimension_count'), common['head_dim'] as number];
    const logFactor = fields.has('rope.scaling.yarn_log_multiplier')
      ? fields.positive('rope.scaling.yarn_log_multiplier') * 10
      : 0;
    return {
      qk_rope_head_dim: rotary,
      qk_nope_head_dim: head - rotary,
      v_head_dim: fields.count('attention.value_length'),
      q_lora_rank: fields.has('attention.q_lora_rank') ? fields.count('attention.q_lora_rank') : null,
      kv_lora_rank: fields.count('attention.kv_lora_rank'),
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
      rope_parameters: {
        ...(common['rope_parameters'] as JsonObject),
        partial_rotary_factor: 1,
        ...(logFactor > 0 && { mscale: logFactor, mscale_all_dim: logFactor }),
      },
    };
  },
  metadata: (config) => {
    const { experts, latentAttention: latent } = config;
    if (!experts?.sigmoid || !experts.shared || !latent) throw new Error('no DeepSeek-V3');
    const logFactor = yarnLogFactor(config);
    return [
      uint32('attention.value_length', latent.valueSize),
      uint32('attention.kv_lora_rank', latent.kvRank),
      ...(latent.queryRank === null ? [] : [uint32('attention.q_lora_rank', latent.queryRank)]),
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

/** The factor of the logarithm in YaRN's scaling of scores (mscale_all_dim); 0 without it. */
function yarnLogFactor({ rope: { scaling }, attentionScale, headSize }: ModelConfig): number {
  if (scaling?.kind !== 'yarn') return 0;
  const scale = Math.sqrt(attentionScale * Math.sqrt(headSize));
  return Number(((scale - 1) / (yarnAttentionFactor(scaling.factor) - 1)).toPrecision(7));
}
