import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { gemmaConfig } from '../gemma2/config.ts';
import { readAlternatingWindows } from '../layerTypes.ts';

/** What transformers' Gemma3TextConfig has where config.json says nothing: inside a multimodal model it says very little. */
const DEFAULTS = {
  vocab_size: 262_208,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 26,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
  max_position_embeddings: 131_072,
  query_pre_attn_scalar: 256,
  sliding_window: 4096,
  rope_theta: 1_000_000,
  rope_local_base_freq: 10_000,
};

/** Gemma 3: as Gemma 2 with norms of heads instead of soft caps, and another rope in layers with a window, five of six. */
export function readConfig(given: Fields, generation: Fields | null): ModelConfig {
  const fields = given.withDefaults(DEFAULTS);
  // transformers writes the one with a line before it, and reads the other.
  const period = given.count('sliding_window_pattern', given.count('_sliding_window_pattern', 6));
  return readDecoderConfig(fields, generation, {
    architecture: 'gemma3_text',
    activationField: 'hidden_activation',
    tiesByDefault: true,
    ropePerLayerType: true,
    slidingWindow: (layerCount) => readAlternatingWindows(fields, layerCount, period),
    // transformers reads attn_logit_softcapping here, and computes nothing by it.
    config: { ...gemmaConfig(fields), attentionSoftCap: 0, qkNorm: 'each_head' },
  });
}
