import type { GgufPart } from '../architecture.ts';
import { uint32 } from '../gguf/writeMetadata.ts';

/** llama.cpp has experts in every layer and always norms their gates; the file says how many there are and how wide. */
export const ggufPart: GgufPart = {
  configJson: (fields) => ({
    num_experts: fields.count('expert_count'),
    num_experts_per_tok: fields.count('expert_used_count'),
    moe_intermediate_size: fields.count('expert_feed_forward_length'),
    norm_topk_prob: true,
  }),
  metadata: ({ experts }) =>
    experts
      ? [
          uint32('expert_count', experts.count),
          uint32('expert_used_count', experts.choices),
          uint32('expert_feed_forward_length', experts.intermediateSize),
        ]
      : [],
  refusal: ({ experts }) => {
    if (!experts?.normalized) return 'llama.cpp always normalizes the gates of the experts (norm_topk_prob)';
    return experts.layers.every(Boolean) ? null : 'llama.cpp has experts in every layer of qwen3moe';
  },
  honorsWindow: false,
};
