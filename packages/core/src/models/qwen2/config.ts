import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { readLayerWindows } from '../layerTypes.ts';

/** Qwen2, Qwen2.5, DeepSeek-R1-Distill-Qwen: q, k and v always have biases, o never. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults({ num_key_value_heads: 32 });
  return readDecoderConfig(fields, generation, {
    architecture: 'qwen2',
    slidingWindow: (layerCount) => readLayerWindows(fields, layerCount),
    config: { attentionBias: true },
  });
}
