import type { JsonObject } from '@anneal/formats/json';
import type { TensorSource } from '@anneal/formats/tensor';
import type { GgufPart } from '../architecture.ts';
import type { ModelConfig, StateSpaceConfig } from '../config.ts';
import type { Fields } from '../fields.ts';
import { uint32 } from '../gguf/writeMetadata.ts';
import { ggufPart as graniteGguf, multipliersJson } from '../granite/gguf.ts';
import { names, namesBesideExperts } from './names.ts';

/**
 * llama.cpp knows a Mamba layer by its 0 key heads, and whether attention has rope by a key that is named for its scaling. Gate and up are apart.
 * A model without Mamba layers is Granite 3 there, or granitemoe with experts.
 */
export const ggufPart: GgufPart = {
  ...graniteGguf,
  nameOf: ({ stateSpace, experts }) => (stateSpace ? 'granitehybrid' : experts ? 'granitemoe' : 'granite'),
  otherNames: ['granitemoe'],
  names: ({ experts }) => (experts ? namesBesideExperts : names),
  configJson: (fields, common, source) => {
    const layers = Array.from({ length: fields.count('block_count') }, (_, layer) => layer);
    const isMamba = (layer: number): boolean => source.tensors.has(`blk.${layer}.ssm_in.weight`);
    const experts = fields.count('expert_count', 0, undefined, 0);
    return {
      ...multipliersJson(fields),
      num_local_experts: experts,
      ...(experts > 0 && { num_experts_per_tok: fields.count('expert_used_count') }),
      shared_intermediate_size:
        experts > 0 ? fields.count('expert_shared_feed_forward_length') : common['intermediate_size'],
      attention_bias: layers.some((layer) => source.tensors.has(`blk.${layer}.attn_output.bias`)),
      position_embedding_type: fields.boolean('rope.scaling.finetuned', true) ? 'rope' : 'nope',
      layer_types: layers.map((layer) => (isMamba(layer) ? 'mamba' : 'attention')),
      ...(layers.some(isMamba) && mambaJson(fields, source, layers)),
    };
  },
  metadata: (config) => {
    const { stateSpace, hasRope, experts } = config;
    return [
      ...graniteGguf.metadata(config),
      ['rope.scaling.finetuned', { type: 'bool', value: hasRope.every(Boolean) }],
      ...(stateSpace ? mambaMetadata(config, stateSpace) : []),
      ...(experts
        ? [
            uint32('feed_forward_length', experts.intermediateSize),
            uint32('expert_count', experts.count),
            uint32('expert_used_count', experts.choices),
            uint32('expert_shared_feed_forward_length', config.intermediateSize),
          ]
        : []),
    ];
  },
  refusal: ({ stateSpace, hiddenSize, experts, hasRope }) => {
    if (stateSpace === null)
      return experts || hasRope.every(Boolean)
        ? null
        : 'files of Granite 4 without Mamba layers, experts and rope (position_embedding_type: nope) are not implemented';
    const { heads, headSize, groups } = stateSpace;
    if (heads * headSize !== 2 * hiddenSize)
      return 'llama.cpp knows Mamba layers only of twice the hidden size (mamba_expand: 2)';
    return groups === 1 ? null : 'llama.cpp norms each group of a Mamba layer by itself (mamba_n_groups)';
  },
  addsOutputBias: true,
};

function mambaJson(fields: Fields, source: TensorSource, layers: readonly number[]): JsonObject {
  const inner = fields.count('ssm.inner_size');
  const heads = fields.count('ssm.time_step_rank');
  return {
    mamba_expand: inner / fields.count('embedding_length'),
    mamba_n_heads: heads,
    mamba_d_head: inner / heads,
    mamba_n_groups: fields.count('ssm.group_count'),
    mamba_d_state: fields.count('ssm.state_size'),
    mamba_d_conv: fields.count('ssm.conv_kernel'),
    mamba_conv_bias: layers.some((layer) => source.tensors.has(`blk.${layer}.ssm_conv1d.bias`)),
  };
}

function mambaMetadata(
  { mixers, kvHeadCount }: ModelConfig,
  { heads, headSize, groups, stateSize, convSize }: StateSpaceConfig,
): ReturnType<GgufPart['metadata']> {
  const keyHeads = Uint32Array.from(mixers, (mixer) => (mixer === 'attention' ? kvHeadCount : 0));
  return [
    uint32('ssm.conv_kernel', convSize),
    uint32('ssm.state_size', stateSize),
    uint32('ssm.group_count', groups),
    uint32('ssm.inner_size', heads * headSize),
    uint32('ssm.time_step_rank', heads),
    ['attention.head_count_kv', { type: 'array', items: 'uint32', value: keyHeads }],
  ];
}
