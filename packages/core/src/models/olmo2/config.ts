import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** OLMo 2: norms after the sublayers only, queries and keys normed over all heads. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults({ rms_norm_eps: 1e-5 });
  const attentionBias = fields.boolean('attention_bias', false);
  return readDecoderConfig(fields, generation, {
    architecture: 'olmo2',
    config: { attentionBias, outputBias: attentionBias, norms: 'after', qkNorm: 'all_heads' },
  });
}
