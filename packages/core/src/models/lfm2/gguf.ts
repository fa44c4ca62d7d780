import type { GgufPart } from '../architecture.ts';
import { uint32 } from '../gguf/writeMetadata.ts';

/** llama.cpp knows a layer with a convolution by its 0 key heads. The size of the MLP is the adjusted one. */
export const ggufPart: GgufPart = {
  configJson: (fields, common, source) => ({
    norm_eps: common['rms_norm_eps'],
    block_auto_adjust_ff_dim: false,
    conv_L_cache: fields.count('shortconv.l_cache'),
    layer_types: Array.from({ length: fields.count('block_count') }, (_, layer) =>
      source.tensors.has(`blk.${layer}.shortconv.conv.weight`) ? 'conv' : 'full_attention',
    ),
  }),
  metadata: ({ mixers, kvHeadCount, shortConvSize }) => [
    uint32('shortconv.l_cache', shortConvSize as number),
    [
      'attention.head_count_kv',
      {
        type: 'array',
        items: 'uint32',
        value: Uint32Array.from(mixers, (mixer) => (mixer === 'attention' ? kvHeadCount : 0)),
      },
    ],
  ],
  refusal: ({ headCount, headSize, hiddenSize }) =>
    headCount * headSize === hiddenSize
      ? null
      : 'llama.cpp knows lfm2 only with heads as wide as the hidden size together',
  honorsWindow: false,
};
