import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = { num_key_value_heads: 8, head_dim: 128, attention_dropout: 0.1, residual_dropout: 0.1 };

/** Seed-OSS: Llama with a head size of its own, and biases of q, k and v apart from that of the output. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  return readDecoderConfig(fields, generation, {
    architecture: 'seed_oss',
    config: {
      attentionBias: fields.boolean('attention_bias', true),
      outputBias: fields.boolean('attention_out_bias', false),
      mlpBias: fields.boolean('mlp_bias', false),
    },
  });
}
