import type { GgufPart } from '../architecture.ts';

export const ggufPart: GgufPart = {
  configJson: (_fields, _common, source) => ({ attention_bias: source.tensors.has('blk.0.attn_q.bias') }),
  metadata: () => [],
  refusal: () => null,
  honorsWindow: false,
};
