import type { GgufPart } from '../architecture.ts';
import { MAX_LAYERS } from '../decoderConfig.ts';

/** llama.cpp has windows in all but every fourth layer, and scales the rope of those alone that have none. */
const PERIOD = 4;

export const ggufPart: GgufPart = {
  configJson: (fields, common) => ({
    sliding_window: fields.count('attention.sliding_window'),
    layer_types: Array.from({ length: fields.count('block_count', undefined, MAX_LAYERS) }, (_, layer) =>
      (layer + 1) % PERIOD === 0 ? 'full_attention' : 'sliding_attention',
    ),
    rope_parameters: {
      full_attention: common['rope_parameters'] ?? null,
      sliding_attention: { rope_type: 'default', rope_theta: fields.positive('rope.freq_base', 10_000) },
    },
  }),
  metadata: () => [],
  refusal: ({ slidingWindow, slidingRope, rope, attentionBias }) => {
    if (slidingWindow.some((window, layer) => ((layer + 1) % PERIOD === 0) !== (window === null)))
      return `llama.cpp knows olmo3 only with full attention in every ${PERIOD}th layer and nowhere else`;
    const local = slidingRope ?? rope;
    if (local.scaling !== null || local.theta !== rope.theta)
      return 'llama.cpp knows olmo3 only with a plain rope of the same base in layers with a window';
    return attentionBias ? 'llama.cpp knows no biases of olmo3' : null;
  },
  honorsWindow: true,
};
