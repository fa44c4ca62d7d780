import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { readAlternatingWindows } from '../layerTypes.ts';

/** OLMo 3: norms after the sublayers only, queries and keys normed over all heads, three of four layers with a window. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  const attentionBias = fields.boolean('attention_bias', false);
  const theta = fields.has('rope_theta') ? fields.positive('rope_theta') : null;
  // As transformers 4 writes it, rope_scaling is of the layers without a window alone.
  const local = theta === null ? {} : { rope_local_base_freq: theta };
  return readDecoderConfig(fields.withDefaults(local), generation, {
    architecture: 'olmo3',
    ropePerLayerType: true,
    slidingWindow: (layerCount) => readAlternatingWindows(fields, layerCount, 4),
    config: { attentionBias, outputBias: attentionBias, norms: 'after', qkNorm: 'all_heads' },
  });
}
