import type { JsonObject } from '@anneal/formats/json';
import type { GgufPart } from '../architecture.ts';
import { LONG_ROPE_FACTORS } from '../gguf/ropeFactors.ts';

export const ggufPart: GgufPart = {
  configJson: (fields, common, source) => {
    const { short, long } = LONG_ROPE_FACTORS;
    if (!source.tensors.has(short) || !source.tensors.has(long)) return {};
    const rope = common['rope_parameters'] as JsonObject;
    return {
      original_max_position_embeddings: fields.count('rope.scaling.original_context_length', 4096),
      rope_parameters: {
        ...rope,
        rope_type: 'longrope',
        short_factor: [...source.float32(short)],
        long_factor: [...source.float32(long)],
        ...(fields.has('rope.scaling.attn_factor')
          ? { attention_factor: fields.positive('rope.scaling.attn_factor') }
          : {}),
      },
    };
  },
  metadata: () => [],
  refusal: () => null,
  honorsWindow: false,
};
