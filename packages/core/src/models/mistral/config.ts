import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { layerTypes } from '../layerTypes.ts';

/**
 * Mistral 7B and its successors. Every layer has the window, or, as in Ministral 8B, those that `layer_types` names; transformers
 * assumes 4096 where the key is missing.
 */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults({ num_key_value_heads: 8 });
  const window = fields.raw('sliding_window') === null ? null : fields.count('sliding_window', 4096);
  return readDecoderConfig(fields, generation, {
    architecture: 'mistral',
    slidingWindow: (layerCount) =>
      layerTypes(fields, layerCount, () => true).map((type) => (type === 'full_attention' ? null : window)),
  });
}
