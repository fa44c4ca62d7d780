import { type ModelConfig, readDecoderConfig } from '../config.ts';
import type { Fields } from '../fields.ts';

/** Mistral 7B and its successors. Every layer has the window; transformers assumes 4096 where the key is missing. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  const window = fields.raw('sliding_window') === null ? null : fields.count('sliding_window', 4096);
  return readDecoderConfig(fields, generation, {
    architecture: 'mistral',
    attentionBias: false,
    outputBias: false,
    mlpBias: false,
    qkNorm: false,
    defaultHeadSize: null,
    slidingWindow: (layerCount) => Array.from({ length: layerCount }, () => window),
  });
}
