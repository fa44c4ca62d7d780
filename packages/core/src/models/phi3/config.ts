import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** Phi-3, Phi-3.5, Phi-4 and Phi-4-mini: one matrix for queries, keys and values, one for gate and up, LongRoPE. */
export function readConfig(given: Fields, generation: Fields | null): ModelConfig {
  const fields = given.withDefaults({ original_max_position_embeddings: 4096 });
  for (const key of ['embd_pdrop', 'resid_pdrop']) {
    if (fields.probability(key, 0) !== 0)
      throw fields.unsupported(`dropout of activations (${key}) is not implemented`, `set ${key} to 0 if that is fine`);
  }
  const window = fields.has('sliding_window') ? fields.count('sliding_window') : null;
  return readDecoderConfig(fields, generation, {
    architecture: 'phi3',
    partialRotary: true,
    slidingWindow: (layerCount) => Array.from({ length: layerCount }, () => window),
    config: { fusedQkv: true, fusedGateUp: true },
  });
}
