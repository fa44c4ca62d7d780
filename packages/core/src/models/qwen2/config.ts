import { type ModelConfig, readDecoderConfig, readLayerWindows } from '../config.ts';
import type { Fields } from '../fields.ts';

/** Qwen2, Qwen2.5, DeepSeek-R1-Distill-Qwen: q, k and v always have biases, o never. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  return readDecoderConfig(fields, generation, {
    architecture: 'qwen2',
    attentionBias: true,
    outputBias: false,
    mlpBias: false,
    qkNorm: false,
    defaultHeadSize: null,
    slidingWindow: (layerCount) => readLayerWindows(fields, layerCount),
  });
}
