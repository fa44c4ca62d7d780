import type { ModelConfig, PerLayerInputs } from '../config.ts';
import { MAX_LAYERS, readDecoderConfig } from '../decoderConfig.ts';
import type { Fields } from '../fields.ts';
import { firstSharedLayer } from '../gemma4/config.ts';
import { readAlternatingWindows } from '../layerTypes.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = {
  vocab_size: 262_400,
  hidden_size: 2048,
  intermediate_size: 16_384,
  num_hidden_layers: 35,
  num_attention_heads: 8,
  num_key_value_heads: 2,
  head_dim: 256,
  max_position_embeddings: 32_768,
  sliding_window: 512,
  rope_theta: 1_000_000,
  rope_local_base_freq: 10_000,
};

/** Every fifth layer has no window. */
const PERIOD = 5;

/** Streams that a program can mix; all published models have as many. */
const STREAMS = 4;

/** What published models bound the coefficients of AltUp by, far beyond all that they have: nothing is bounded here. */
const COEFFICIENT_LIMIT = 120;

/** Layers that are sparse, and how much, where a model has more than these and says nothing. */
const SPARSE = { layers: 10, share: 0.95 };

/** Gemma 3n: several streams through the layers, inputs of each layer, sparse first MLPs, and last layers that share keys. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  refuseWhatIsMissing(fields);
  const layerCount = fields.count('num_hidden_layers', undefined, MAX_LAYERS);
  const slidingWindow = readAlternatingWindows(fields, layerCount, PERIOD);
  const intermediateSize = readIntermediateSize(fields, layerCount);
  const firstShared = firstSharedLayer(fields, slidingWindow, 15);
  return readDecoderConfig(fields, generation, {
    architecture: 'gemma3n_text',
    activationField: 'hidden_activation',
    tiesByDefault: true,
    ropePerLayerType: true,
    slidingWindow: () => slidingWindow,
    intermediateSize,
    config: {
      activation: 'gelu_tanh',
      norms: 'both',
      qkNorm: 'each_head',
      valueNorm: true,
      attentionScale: 1,
      embeddingScale: Math.sqrt(fields.count('hidden_size')),
      logitSoftCap: fields.raw('final_logit_softcapping') === null ? 0 : fields.positive('final_logit_softcapping', 30),
      keySharing: firstShared === null ? null : { from: firstShared, intermediateSize },
      perLayerInputs: readPerLayerInputs(fields),
      altUp: { streams: STREAMS, laurelRank: fields.count('laurel_rank', 64) },
      activationSparsity: readSparsity(fields, layerCount),
    },
  });
}

function refuseWhatIsMissing(fields: Fields): void {
  const use = 'use a published Gemma 3n, or add what is missing (docs/add-a-model.md)';
  if (fields.boolean('attention_bias', false))
    throw fields.unsupported('attention_bias: true is not implemented for this model type', use);
  if (fields.positive('altup_coef_clip', COEFFICIENT_LIMIT) < COEFFICIENT_LIMIT)
    throw fields.unsupported(
      `altup_coef_clip ${fields.raw('altup_coef_clip')}, which bounds coefficients in training, is not implemented; none reaches ${COEFFICIENT_LIMIT}`,
      use,
    );
  if (!fields.boolean('altup_correct_scale', true))
    throw fields.unsupported('altup_correct_scale: false is not implemented', use);
  if (fields.count('altup_num_inputs', STREAMS) !== STREAMS || fields.count('altup_active_idx', 0, undefined, 0) !== 0)
    throw fields.unsupported(
      `AltUp with other than ${STREAMS} streams, of which the first is active, is not implemented`,
      use,
    );
}

/** A number, or a list of it for each layer. */
function readIntermediateSize(fields: Fields, layerCount: number): number {
  const written = fields.raw('intermediate_size');
  if (!Array.isArray(written)) return fields.count('intermediate_size');
  const sizes = fields.positives('intermediate_size');
  const [size = 0] = sizes;
  if (sizes.length !== layerCount || !sizes.every(Number.isInteger))
    throw fields.wrong('intermediate_size', `a whole number, or a list of ${layerCount} of them`);
  if (sizes.some((other) => other !== size))
    throw fields.unsupported(
      'MLPs of different sizes (intermediate_size) are not implemented',
      'use E2B or E4B as published',
    );
  return size;
}

const isShare = (share: unknown): share is number =>
  typeof share === 'number' && (share === 0 || (share >= 0.5 && share < 1));

function readSparsity(fields: Fields, layerCount: number): number[] {
  const usual = layerCount > SPARSE.layers ? SPARSE.layers : 0;
  if (!fields.has('activation_sparsity_pattern'))
    return Array.from({ length: layerCount }, (_, layer) => (layer < usual ? SPARSE.share : 0));
  const written = fields.raw('activation_sparsity_pattern');
  if (!Array.isArray(written) || written.length !== layerCount || !written.every(isShare))
    throw fields.wrong(
      'activation_sparsity_pattern',
      `a list of ${layerCount} numbers that are 0 or from 0.5 to below 1`,
    );
  return written;
}

function readPerLayerInputs(fields: Fields): PerLayerInputs {
  const vocabSize = fields.count('vocab_size_per_layer_input', 262_144, fields.count('vocab_size'));
  return { size: fields.count('hidden_size_per_layer_input', 256), vocabSize };
}
