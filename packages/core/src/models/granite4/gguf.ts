import type { GgufPart } from '../architecture.ts';
import { uint32 } from '../gguf/writeMetadata.ts';
import { ggufPart as graniteGguf } from '../granite/gguf.ts';

/**
 * llama.cpp knows a Mamba layer by its 0 key heads, and whether attention has rope by a key that is named for its scaling. Gate and up are apart.
 */
export const ggufPart: GgufPart = {
  ...graniteGguf,
  configJson: (fields, common, source) => {
    const layers = Array.from({ length: fields.count('block_count') }, (_, layer) => layer);
    const isMamba = (layer: number): boolean => source.tensors.has(`blk.${layer}.ssm_in.weight`);
    const inner = fields.count('ssm.inner_size');
    const heads = fields.count('ssm.time_step_rank');
    return {
      ...graniteGguf.configJson(fields, common, source),
      num_local_experts: 0,
      shared_intermediate_size: common['intermediate_size'],
      attention_bias: layers.some((layer) => source.tensors.has(`blk.${layer}.attn_output.bias`)),
      position_embedding_type: fields.boolean('rope.scaling.finetuned', true) ? 'rope' : 'nope',
      layer_types: layers.map((layer) => (isMamba(layer) ? 'mamba' : 'attention')),
      mamba_expand: inner / fields.count('embedding_length'),
      mamba_n_heads: heads,
      mamba_d_head: inner / heads,
      mamba_n_groups: fields.count('ssm.group_count'),
      mamba_d_state: fields.count('ssm.state_size'),
      mamba_d_conv: fields.count('ssm.conv_kernel'),
      mamba_conv_bias: layers.some((layer) => source.tensors.has(`blk.${layer}.ssm_conv1d.bias`)),
    };
  },
  metadata: (config) => {
    const { mixers, kvHeadCount, stateSpace, hasRope } = config;
    if (stateSpace === null) throw new Error('no hybrid of Granite 4');
    const { heads, headSize, groups, stateSize, convSize } = stateSpace;
    const keyHeads = Uint32Array.from(mixers, (mixer) => (mixer === 'attention' ? kvHeadCount : 0));
    return [
      ...graniteGguf.metadata(config),
      uint32('ssm.conv_kernel', convSize),
      uint32('ssm.state_size', stateSize),
      uint32('ssm.group_count', groups),
      uint32('ssm.inner_size', heads * headSize),
      uint32('ssm.time_step_rank', heads),
      ['rope.scaling.finetuned', { type: 'bool', value: hasRope.every(Boolean) }],
      ['attention.head_count_kv', { type: 'array', items: 'uint32', value: keyHeads }],
    ];
  },
  refusal: ({ stateSpace, hiddenSize, experts }) => {
    if (experts) return 'files of Granite 4 with experts are not implemented';
    if (stateSpace === null)
      return 'files of Granite 4 without Mamba layers, which llama.cpp takes for Granite 3, are not implemented';
    const { heads, headSize, groups } = stateSpace;
    if (heads * headSize !== 2 * hiddenSize)
      return 'llama.cpp knows Mamba layers only of twice the hidden size (mamba_expand: 2)';
    return groups === 1 ? null : 'llama.cpp norms each group of a Mamba layer by itself (mamba_n_groups)';
  },
  addsOutputBias: true,
};
