import type { JsonObject } from '@anneal/formats/json';
import type { GgufPart } from '../architecture.ts';
import { uint32 } from '../gguf/writeMetadata.ts';

/** llama.cpp has the rest in its code: experts in every layer, windows in every other from the first on, the activation's limits. */
export const ggufPart: GgufPart = {
  configJson: (fields, common) => ({
    num_local_experts: fields.count('expert_count'),
    num_experts_per_tok: fields.count('expert_used_count'),
    intermediate_size: fields.count('expert_feed_forward_length'),
    sliding_window: fields.count('attention.sliding_window'),
    rope_parameters: { ...(common['rope_parameters'] as JsonObject), truncate: false },
  }),
  metadata: ({ experts }) =>
    experts
      ? [
          uint32('expert_count', experts.count),
          uint32('expert_used_count', experts.choices),
          uint32('expert_feed_forward_length', experts.intermediateSize),
        ]
      : [],
  refusal: ({ attentionBias, slidingWindow, rope }) => {
    if (!attentionBias) return 'llama.cpp has biases in every attention of gpt-oss (attention_bias)';
    if (rope.scaling?.kind !== 'yarn' || rope.scaling.truncate)
      return 'a GGUF file of gpt-oss stands for YaRN without truncate';
    return slidingWindow.every((keys, layer) => (keys !== null) === (layer % 2 === 0))
      ? null
      : 'llama.cpp has windows in every other layer of gpt-oss, from the first on';
  },
  honorsWindow: true,
  addsOutputBias: true,
  roundsYarn: true,
};
