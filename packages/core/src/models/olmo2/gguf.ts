import type { GgufPart } from '../architecture.ts';

export const ggufPart: GgufPart = {
  configJson: () => ({}),
  metadata: () => [],
  refusal: ({ attentionBias }) => (attentionBias ? 'llama.cpp knows no biases of olmo2' : null),
  honorsWindow: false,
};
