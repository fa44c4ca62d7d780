import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { readAlternatingWindows } from '../layerTypes.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = { rms_norm_eps: 1e-5, rope_theta: 500_000 };

/** OLMo 3: norms after the sublayers only, queries and keys normed over all heads, three of four layers with a window. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  const attentionBias = fields.boolean('attention_bias', false);
  // What scales is of the layers without a window alone, whose theta all share where they are not told apart.
  const flat = fields.object('rope_parameters') ?? fields.object('rope_scaling');
  const local = { rope_local_base_freq: (flat?.has('rope_theta') ? flat : fields).positive('rope_theta') };
  return readDecoderConfig(fields.withDefaults(local), generation, {
    architecture: 'olmo3',
    ropePerLayerType: true,
    slidingWindow: (layerCount) => readAlternatingWindows(fields, layerCount, 4),
    config: { attentionBias, outputBias: attentionBias, norms: 'after', qkNorm: 'all_heads' },
  });
}
