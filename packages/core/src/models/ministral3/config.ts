import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** Ministral 3: as Mistral, with queries that grow with their position. Published inside multimodal models. */
export function readConfig(fields: Fields, generation: Fields | null): ModelConfig {
  const window = fields.has('sliding_window') ? fields.count('sliding_window') : null;
  return readDecoderConfig(fields, generation, {
    architecture: 'ministral3',
    scalesQueries: true,
    slidingWindow: (layerCount) => Array.from({ length: layerCount }, () => window),
  });
}
