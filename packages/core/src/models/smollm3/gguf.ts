import type { GgufPart } from '../architecture.ts';

/** llama.cpp tells every fourth layer no positions. */
const INTERVAL = 4;

export const ggufPart: GgufPart = {
  configJson: () => ({ no_rope_layer_interval: INTERVAL }),
  metadata: () => [],
  refusal: ({ hasRope, attentionBias, mlpBias }) => {
    if (hasRope.some((isTurned, layer) => isTurned !== ((layer + 1) % INTERVAL !== 0)))
      return `llama.cpp knows smollm3 only with rope in all but every ${INTERVAL}th layer`;
    return attentionBias || mlpBias ? 'llama.cpp knows no biases of smollm3' : null;
  },
  honorsWindow: false,
};
