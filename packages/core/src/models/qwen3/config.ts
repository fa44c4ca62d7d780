import { type ModelConfig, readDecoderConfig, readLayerWindows } from '../config.ts';
import type { Fields } from '../fields.ts';

/** Qwen3, dense: q and k are normalized per head; the head size does not follow from the hidden size. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  const attentionBias = fields.boolean('attention_bias', false);
  return readDecoderConfig(fields, generation, {
    architecture: 'qwen3',
    attentionBias,
    outputBias: attentionBias,
    mlpBias: false,
    qkNorm: true,
    defaultHeadSize: 128,
    slidingWindow: (layerCount) => readLayerWindows(fields, layerCount),
  });
}
