import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** Llama 1 to 3.3, SmolLM2, DeepSeek-R1-Distill-Llama. One flag gives biases to all four attention projections. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  const attentionBias = fields.boolean('attention_bias', false);
  return readDecoderConfig(fields, generation, {
    architecture: 'llama',
    config: { attentionBias, outputBias: attentionBias, mlpBias: fields.boolean('mlp_bias', false) },
  });
}
