import { longestShortConv } from '@anneal/kernels';
import type { GatedDeltaConfig, ModelConfig, TokenMixer } from '../config.ts';
import { type DecoderTraits, MAX_LAYERS, readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** What transformers takes where config.json does not say it. */
export const DEFAULTS = {
  head_dim: 256,
  num_attention_heads: 16,
  num_key_value_heads: 4,
  max_position_embeddings: 32_768,
  partial_rotary_factor: 0.25,
};

/** Qwen3.5, dense. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  return readDecoderConfig(fields, generation, { architecture: 'qwen3_5_text', ...qwen35Traits(fields) });
}

/**
 * What all of Qwen3.5 has: the gated delta rule, and in every fourth layer attention with gated output. Of text alone the three positions of a token
 * are one, so that the interleaved sections of its rope (`mrope_section`) are as if they were not.
 */
export function qwen35Traits(fields: Fields): Omit<DecoderTraits, 'architecture'> {
  for (const [key, computed] of Object.entries({ attn_output_gate: true, attention_bias: false })) {
    if (fields.boolean(key, computed) !== computed)
      throw fields.unsupported(
        `${key}: ${!computed} is not implemented for this model type`,
        'use a published Qwen3.5',
      );
  }
  return {
    partialRotary: true,
    config: {
      mixers: readMixers(fields),
      gatedDelta: readGatedDelta(fields),
      attentionGate: true,
      qkNorm: 'each_head',
      normOffset: 1,
    },
  };
}

function readGatedDelta(fields: Fields): GatedDeltaConfig {
  const keyHeads = fields.count('linear_num_key_heads', 16);
  const valueHeads = fields.count('linear_num_value_heads', 32);
  if (valueHeads % keyHeads !== 0) throw fields.wrong('linear_num_value_heads', `a multiple of ${keyHeads} key heads`);
  return {
    keyHeads,
    keySize: fields.count('linear_key_head_dim', 128),
    valueHeads,
    valueSize: fields.count('linear_value_head_dim', 128),
    convSize: fields.count('linear_conv_kernel_dim', 4, longestShortConv, 2),
  };
}

function readMixers(fields: Fields): TokenMixer[] {
  const layerCount = fields.count('num_hidden_layers', undefined, MAX_LAYERS);
  const interval = fields.count('full_attention_interval', 4);
  const types =
    fields.strings('layer_types') ??
    Array.from({ length: layerCount }, (_, layer) => ((layer + 1) % interval ? 'linear_attention' : 'full_attention'));
  if (types.length !== layerCount) throw fields.wrong('layer_types', `a list of ${layerCount} entries, one per layer`);
  const mixers = types.map((type): TokenMixer => {
    if (type === 'full_attention') return 'attention';
    if (type === 'linear_attention') return 'gated_delta';
    throw fields.unsupported(`layer type ${type} is not implemented`, 'use a published Qwen3.5');
  });
  if (mixers.includes('attention')) return mixers;
  throw fields.unsupported('a model without any layer of attention is not implemented', 'use a published Qwen3.5');
}
