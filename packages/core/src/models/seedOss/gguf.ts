import type { GgufPart } from '../architecture.ts';

export const ggufPart: GgufPart = {
  configJson: (_fields, _common, source) => ({
    attention_bias: source.tensors.has('blk.0.attn_q.bias'),
    attention_dropout: 0,
    residual_dropout: 0,
  }),
  metadata: () => [],
  refusal: ({ outputBias, mlpBias }) =>
    outputBias || mlpBias ? 'llama.cpp knows no biases of seed_oss but those of queries, keys and values' : null,
  honorsWindow: false,
};
