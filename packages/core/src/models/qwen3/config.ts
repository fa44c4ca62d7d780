import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { readLayerWindows } from '../layerTypes.ts';

/** Qwen3, dense: q and k are normalized per head; the head size does not follow from the hidden size. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults({ num_key_value_heads: 32 });
  const attentionBias = fields.boolean('attention_bias', false);
  return readDecoderConfig(fields, generation, {
    architecture: 'qwen3',
    defaultHeadSize: 128,
    slidingWindow: (layerCount) => readLayerWindows(fields, layerCount),
    config: { attentionBias, outputBias: attentionBias, qkNorm: 'each_head' },
  });
}
