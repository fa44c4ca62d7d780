import type { ModelConfig } from '../config.ts';
import { readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = { num_key_value_heads: 8, head_dim: 128, rms_norm_eps: 1e-5 };

/** Likewise, where it has neither rope_parameters nor rope_scaling. */
const ROPE = {
  rope_type: 'yarn',
  rope_theta: 1_000_000,
  factor: 16,
  original_max_position_embeddings: 16_384,
  mscale: 1,
  mscale_all_dim: 1,
  llama_4_scaling_beta: 0.1,
};

/** Ministral 3: as Mistral, with queries that grow with their position. Published inside multimodal models. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  const window = fields.has('sliding_window') ? fields.count('sliding_window') : null;
  return readDecoderConfig(fields, generation, {
    architecture: 'ministral3',
    scalesQueries: true,
    defaultRope: ROPE,
    slidingWindow: (layerCount) => Array.from({ length: layerCount }, () => window),
  });
}
