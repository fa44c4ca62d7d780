import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { readAlternatingWindows } from '../layerTypes.ts';

/** What transformers' Gemma2Config has where config.json says nothing. */
const DEFAULTS = {
  num_key_value_heads: 4,
  head_dim: 256,
  query_pre_attn_scalar: 256,
  attn_logit_softcapping: 50,
  final_logit_softcapping: 30,
  sliding_window: 4096,
};

/** Gemma 2: soft caps, norms around both sublayers whose weights are around 0, every other layer with a window. */
export function readConfig(given: Fields, generation: Fields | null): ModelConfig {
  const fields = given.withDefaults(DEFAULTS);
  return readDecoderConfig(fields, generation, {
    architecture: 'gemma2',
    activationField: 'hidden_activation',
    tiesByDefault: true,
    slidingWindow: (layerCount) => readAlternatingWindows(fields, layerCount, 2),
    config: gemmaConfig(fields),
  });
}

/** What Gemma 2 and 3 share. */
export function gemmaConfig(fields: Fields): Partial<ModelConfig> {
  const attentionBias = fields.boolean('attention_bias', false);
  if (fields.boolean('use_bidirectional_attention', false)) {
    throw fields.unsupported(
      'attention to later tokens (use_bidirectional_attention) is not implemented',
      'use another model',
    );
  }
  const cap = (key: string): number => (fields.has(key) ? fields.positive(key) : 0);
  return {
    attentionBias,
    outputBias: attentionBias,
    activation: 'gelu_tanh',
    norms: 'both',
    normOffset: 1,
    attentionScale: fields.positive('query_pre_attn_scalar') ** -0.5,
    attentionSoftCap: cap('attn_logit_softcapping'),
    logitSoftCap: cap('final_logit_softcapping'),
    embeddingScale: Math.sqrt(fields.count('hidden_size')),
  };
}
