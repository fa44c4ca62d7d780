import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** Granite 3: as Llama, with four multipliers. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  const attentionBias = fields.boolean('attention_bias', false);
  return readDecoderConfig(fields, generation, {
    architecture: 'granite',
    config: {
      attentionBias,
      outputBias: attentionBias,
      mlpBias: fields.boolean('mlp_bias', false),
      ...graniteMultipliers(fields),
    },
  });
}

export function graniteMultipliers(fields: Fields): Partial<ModelConfig> {
  return {
    embeddingScale: fields.positive('embedding_multiplier', 1),
    attentionScale: fields.positive('attention_multiplier', 1),
    residualScale: fields.positive('residual_multiplier', 1),
    logitScale: 1 / fields.positive('logits_scaling', 1),
  };
}
