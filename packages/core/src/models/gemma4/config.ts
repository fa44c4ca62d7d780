import { isJsonObject } from '@anneal/formats/json';
import type { ExpertsConfig, GlobalAttention, KeySharing, ModelConfig, PerLayerInputs } from '../config.ts';
import { MAX_LAYERS, readDecoderConfig } from '../decoderConfig.ts';
import { Fields } from '../fields.ts';
import { readAlternatingWindows } from '../layerTypes.ts';

/** What transformers takes where config.json does not say it. */
const DEFAULTS = {
  vocab_size: 262_144,
  hidden_size: 2304,
  intermediate_size: 9216,
  num_hidden_layers: 30,
  num_attention_heads: 8,
  num_key_value_heads: 4,
  head_dim: 256,
  max_position_embeddings: 131_072,
  sliding_window: 512,
};

/** Likewise, where it has neither rope_parameters nor rope_scaling. */
const ROPE = {
  sliding_attention: { rope_type: 'default', rope_theta: 10_000 },
  full_attention: { rope_type: 'proportional', partial_rotary_factor: 0.25, rope_theta: 1_000_000 },
};

/** Every sixth layer, and the last, has no window. */
const PERIOD = 6;

/** Gemma 4: larger heads where there is no window, last layers that share keys, inputs of each layer, experts beside the MLPs. */
export function readConfig(written: Fields, generation: Fields | null): ModelConfig {
  const fields = written.withDefaults(DEFAULTS);
  refuseWhatIsMissing(fields);
  const layerCount = fields.count('num_hidden_layers', undefined, MAX_LAYERS);
  const slidingWindow = readAlternatingWindows(fields, layerCount, PERIOD).with(layerCount - 1, null);
  return readDecoderConfig(fields, generation, {
    architecture: 'gemma4_text',
    activationField: 'hidden_activation',
    tiesByDefault: true,
    ropePerLayerType: true,
    defaultRope: ROPE,
    proportionalRope: true,
    slidingWindow: () => slidingWindow,
    ...(fields.boolean('enable_moe_block', false) && { experts: () => readExperts(fields, layerCount) }),
    config: {
      activation: 'gelu_tanh',
      norms: 'both',
      qkNorm: 'each_head',
      valueNorm: true,
      attentionScale: 1,
      embeddingScale: Math.sqrt(fields.count('hidden_size')),
      logitSoftCap: fields.has('final_logit_softcapping') ? fields.positive('final_logit_softcapping') : 0,
      globalAttention: readGlobalAttention(fields, slidingWindow),
      keySharing: readKeySharing(fields, slidingWindow),
      perLayerInputs: readPerLayerInputs(fields),
      layerScale: true,
    },
  });
}

/** Published files have keys and values of layers that share those of others, too. */
export function leftOutPart(stored: string, { keySharing }: ModelConfig): string | null {
  const layer = /layers\.(\d+)\.self_attn\.[kv]_(proj|norm)\.weight$/.exec(stored)?.[1];
  return keySharing && Number(layer) >= keySharing.from ? 'keys and values that layers share' : null;
}

function refuseWhatIsMissing(fields: Fields): void {
  const use = 'use another model, or add what is missing (docs/add-a-model.md)';
  if (fields.boolean('attention_bias', false))
    throw fields.unsupported('attention_bias: true is not implemented for this model type', use);
  if (fields.raw('use_bidirectional_attention') === 'all')
    throw fields.unsupported('attention in both directions (use_bidirectional_attention) is not implemented', use);
}

/** `global_head_dim` in published files; as transformers 5.17 writes it, what each layer has of its own. */
function readGlobalAttention(fields: Fields, slidingWindow: ModelConfig['slidingWindow']): GlobalAttention {
  const keysAreValues = fields.boolean('attention_k_eq_v', false);
  const perLayer = fields.raw('per_layer_config');
  const own = isJsonObject(perLayer) ? readPerLayer(fields, perLayer, slidingWindow) : null;
  const kvHeads = fields.count('num_key_value_heads');
  if (own) return { ...own, keysAreValues };
  return {
    headSize: fields.count('global_head_dim', 512),
    kvHeadCount: keysAreValues ? fields.count('num_global_key_value_heads', kvHeads) : kvHeads,
    keysAreValues,
  };
}

/** Of all layers without a window alike. */
function readPerLayer(
  fields: Fields,
  perLayer: Readonly<Record<string, unknown>>,
  slidingWindow: ModelConfig['slidingWindow'],
): Omit<GlobalAttention, 'keysAreValues'> {
  const full = slidingWindow.flatMap((keys, layer) => (keys === null ? [String(layer)] : []));
  const texts = full.map((layer) => JSON.stringify(perLayer[layer]));
  const known = Object.entries(perLayer).every(
    ([layer, own]) =>
      full.includes(layer) &&
      isJsonObject(own) &&
      Object.keys(own).every((key) => ['head_dim', 'num_key_value_heads'].includes(key)),
  );
  if (!known || new Set(texts).size !== 1)
    throw fields.unsupported(
      'per_layer_config with other than one head_dim and num_key_value_heads of all layers without a window is not implemented',
      'use a published Gemma 4',
    );
  const own = new Fields(JSON.parse(texts[0] ?? '{}'), `${fields.where}: per_layer_config`);
  return {
    headSize: own.count('head_dim', fields.count('head_dim')),
    kvHeadCount: own.count('num_key_value_heads', fields.count('num_key_value_heads')),
  };
}

function readKeySharing(fields: Fields, slidingWindow: ModelConfig['slidingWindow']): KeySharing | null {
  const from = firstSharedLayer(fields, slidingWindow, 0);
  if (from === null) return null;
  const intermediateSize = fields.count('intermediate_size');
  return {
    from,
    intermediateSize: fields.boolean('use_double_wide_mlp', false) ? 2 * intermediateSize : intermediateSize,
  };
}

/** The first layer that shares the keys and values of one before it; null where none does. @param usual their count where the file says none */
export function firstSharedLayer(
  fields: Fields,
  slidingWindow: ModelConfig['slidingWindow'],
  usual: number,
): number | null {
  const count = fields.count('num_kv_shared_layers', usual, slidingWindow.length - 1, 0);
  if (count === 0) return null;
  const from = slidingWindow.length - count;
  const before = new Set(slidingWindow.slice(0, from).map((keys) => keys === null));
  if (slidingWindow.slice(from).some((keys) => !before.has(keys === null)))
    throw fields.wrong('num_kv_shared_layers', 'so many that each kind of layer is among those before them');
  return from;
}

function readExperts(fields: Fields, layerCount: number): ExpertsConfig {
  const count = fields.count('num_experts');
  return {
    count,
    choices: fields.count('top_k_experts', undefined, count),
    intermediateSize: fields.count('moe_intermediate_size'),
    normalized: true,
    sigmoid: null,
    bias: false,
    activation: 'gelu_tanh',
    shared: null,
    besideMlp: true,
    layers: Array.from({ length: layerCount }, () => true),
  };
}

function readPerLayerInputs(fields: Fields): PerLayerInputs | null {
  const size = fields.count('hidden_size_per_layer_input', 256, undefined, 0);
  if (size === 0) return null;
  const vocabulary = fields.count('vocab_size');
  if (fields.count('vocab_size_per_layer_input', vocabulary) !== vocabulary)
    throw fields.wrong('vocab_size_per_layer_input', `vocab_size ${vocabulary}`);
  return { size, vocabSize: vocabulary };
}
