import type { GgufPart } from '../architecture.ts';
import { uint32 } from '../gguf/writeMetadata.ts';
import { ggufPart as denseGguf } from '../qwen35/gguf.ts';

export const ggufPart: GgufPart = {
  ...denseGguf,
  configJson: (fields, common, source) => ({
    ...denseGguf.configJson(fields, common, source),
    num_experts: fields.count('expert_count'),
    num_experts_per_tok: fields.count('expert_used_count'),
    moe_intermediate_size: fields.count('expert_feed_forward_length'),
    shared_expert_intermediate_size: fields.count('expert_shared_feed_forward_length'),
  }),
  metadata: (config) => {
    const { experts } = config;
    if (!experts?.shared) throw new Error('no Qwen3.5 with experts');
    return [
      ...denseGguf.metadata(config),
      uint32('expert_count', experts.count),
      uint32('expert_used_count', experts.choices),
      uint32('expert_feed_forward_length', experts.intermediateSize),
      uint32('expert_shared_feed_forward_length', experts.shared.intermediateSize),
    ];
  },
};
