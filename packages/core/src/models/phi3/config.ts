import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = { rms_norm_eps: 1e-5, original_max_position_embeddings: 4096 };

/** Phi-3, Phi-3.5, Phi-4 and Phi-4-mini: one matrix for queries, keys and values, one for gate and up, LongRoPE. */
export function readConfig(given: Fields, generation: Fields | null): ModelConfig {
  const fields = given.withDefaults(DEFAULTS);
  for (const key of ['embd_pdrop', 'resid_pdrop']) {
    if (fields.probability(key, 0) !== 0)
      throw fields.unsupported(`dropout of activations (${key}) is not implemented`, `set ${key} to 0 if that is fine`);
  }
  const window = fields.has('sliding_window') ? fields.count('sliding_window') : null;
  return readDecoderConfig(fields, generation, {
    architecture: 'phi3',
    partialRotary: true,
    yarnIsLongRope: true,
    slidingWindow: (layerCount) => Array.from({ length: layerCount }, () => window),
    config: { fusedQkv: true, fusedGateUp: true },
  });
}
