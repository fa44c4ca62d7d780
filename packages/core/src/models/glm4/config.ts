import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = {
  num_key_value_heads: 2,
  head_dim: 128,
  rms_norm_eps: 1.5625e-7,
  attention_bias: true,
  partial_rotary_factor: 0.5,
};

/** GLM-4 of 2025: norms around both sublayers, neighbors of half of each head turned, gate and up in one matrix. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  return readDecoderConfig(fields, generation, {
    architecture: 'glm4',
    partialRotary: true,
    config: {
      attentionBias: fields.boolean('attention_bias', true),
      fusedGateUp: true,
      norms: 'both',
      rotaryPairs: 'neighbors',
    },
  });
}
