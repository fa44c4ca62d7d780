import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** GLM-4 of 2025: norms around both sublayers, neighbors of half of each head turned, gate and up in one matrix. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  return readDecoderConfig(fields.withDefaults({ partial_rotary_factor: 0.5, head_dim: 128 }), generation, {
    architecture: 'glm4',
    partialRotary: true,
    config: {
      attentionBias: fields.boolean('attention_bias', false),
      fusedGateUp: true,
      norms: 'both',
      rotaryPairs: 'neighbors',
    },
  });
}
