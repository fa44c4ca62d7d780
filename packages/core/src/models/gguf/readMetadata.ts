import type { GgufMetadata } from '@anneal/formats/gguf/metadata';
import { NO_TOKEN } from '@anneal/formats/gguf/tokenizer/vocabulary';
import type { JsonObject } from '@anneal/formats/json';
import type { TensorSource } from '@anneal/formats/tensor';
import type { Architecture } from '../architecture.ts';
import { Fields } from '../fields.ts';
import { architectures } from '../index.ts';
import { yarnAttentionFactor } from '../rope.ts';
import { llama3ScalingOf, proportionalScalingOf, ROPE_FACTORS } from './ropeFactors.ts';
import { SAMPLING_KEYS } from './samplingKeys.ts';

/** Llama 3 was trained on 8192 positions before its context was stretched; GGUF does not repeat it. */
const LLAMA3_ORIGINAL_POSITIONS = 8192;

/** Mistral and OLMo 3 have no architecture of their own in GGUF: they are others' with a window. */
const WITH_A_WINDOW: ReadonlyMap<string, string> = new Map([
  ['llama', 'mistral'],
  ['olmo2', 'olmo3'],
]);

/**
 * The config.json (transformers 5) of the model in a GGUF file, so that both formats are read and checked by one path.
 * @throws UserError where keys are missing or wrong
 */
export function configJsonOf(metadata: GgufMetadata, source: TensorSource): JsonObject {
  const gguf = new Fields(plainValues(metadata), source.path).string('general.architecture');
  const common = commonConfig(metadata, source);
  const architecture =
    architectures.find(({ modelType }) => modelType === common['model_type']) ?? architectureOfGguf(gguf);
  if (!architecture?.ggufPart) return architecture ? { ...common, model_type: architecture.modelType } : common;
  const own = [...metadata].filter(([key]) => key.startsWith(`${gguf}.`));
  const fields = new Fields(
    plainValues(new Map(own.map(([key, value]) => [key.slice(gguf.length + 1), value]))),
    source.path,
  );
  return { ...common, model_type: architecture.modelType, ...architecture.ggufPart.configJson(fields, common, source) };
}

function architectureOfGguf(name: string): Architecture | undefined {
  return architectures.find(({ gguf, ggufPart }) => gguf === name || ggufPart?.otherNames?.includes(name));
}

function commonConfig(metadata: GgufMetadata, source: TensorSource): JsonObject {
  const where = source.path;
  const all = new Fields(plainValues(metadata), where);
  const gguf = all.string('general.architecture');
  const key = (name: string): string => `${gguf}.${name}`;
  const hiddenSize = all.count(key('embedding_length'));
  const headCount = perLayerCount(metadata, key('attention.head_count'), all);
  const headSize = all.count(key('attention.key_length'), hiddenSize / headCount);
  const part = architectureOfGguf(gguf)?.ggufPart;
  const perLayer = (name: string): number => perLayerCount(metadata, key(name), all, part?.differsByLayer ?? false);
  if (!part?.hasOwnValueSize && all.count(key('attention.value_length'), headSize) !== headSize) {
    throw all.unsupported(
      `${key('attention.value_length')} other than the head size ${headSize} is not implemented`,
      'use another model',
    );
  }
  const rotarySize = all.count(key('rope.dimension_count'), headSize);
  const window = all.has(key('attention.sliding_window')) ? all.count(key('attention.sliding_window')) : null;
  const modelType = (window !== null && WITH_A_WINDOW.get(gguf)) || gguf;
  // Where all MLPs are experts, a file may lack the size of others.
  const hasMlp = metadata.has(key('feed_forward_length')) || !metadata.has(key('expert_feed_forward_length'));
  const slides = slidingLayers(metadata, key('attention.sliding_window_pattern'));
  return {
    model_type: modelType,
    ...(all.has(key('expert_count')) ? { num_experts: all.raw(key('expert_count')) } : {}),
    vocab_size: source.tensors.get('token_embd.weight')?.shape[0] ?? all.count(key('vocab_size')),
    hidden_size: hiddenSize,
    num_hidden_layers: all.count(key('block_count')),
    num_attention_heads: headCount,
    num_key_value_heads: metadata.has(key('attention.head_count_kv')) ? perLayer('attention.head_count_kv') : headCount,
    head_dim: headSize,
    ...(hasMlp && { intermediate_size: perLayer('feed_forward_length') }),
    hidden_act: 'silu',
    rms_norm_eps: all.positive(key('attention.layer_norm_rms_epsilon')),
    max_position_embeddings: all.count(key('context_length')),
    tie_word_embeddings: !source.tensors.has('output.weight'),
    attention_bias: source.tensors.has('blk.0.attn_output.bias'),
    mlp_bias: source.tensors.has('blk.0.ffn_gate.bias'),
    rope_parameters: {
      ...ropeParameters(all, key, source, part?.proportionalRope ?? false),
      ...(rotarySize === headSize ? {} : { partial_rotary_factor: rotarySize / headSize }),
    },
    ...(modelType === 'mistral' || window !== null ? { sliding_window: window } : {}),
    ...(modelType !== 'mistral' && window !== null ? { use_sliding_window: true } : {}),
    ...(window !== null && slides ? { layer_types: slides } : {}),
    ...tokenIds(all),
  };
}

/** The end tokens and the sampling a GGUF recommends, as a generation_config.json. */
export function generationConfigOf(metadata: GgufMetadata, where: string): JsonObject {
  const all = new Fields(plainValues(metadata), where);
  const sampling = Object.entries(SAMPLING_KEYS).flatMap(([ours, theirs]) =>
    all.has(theirs) ? [[ours, all.raw(theirs)]] : [],
  );
  return { ...tokenIds(all), ...Object.fromEntries(sampling), ...(sampling.length > 0 ? { do_sample: true } : {}) };
}

function ropeParameters(
  all: Fields,
  key: (name: string) => string,
  source: TensorSource,
  isProportional: boolean,
): JsonObject {
  const theta = all.positive(key('rope.freq_base'), 10_000);
  const original = key('rope.scaling.original_context_length');
  const type = all.string(key('rope.scaling.type'), 'none');
  if (isProportional) {
    if (type !== 'none')
      throw all.unsupported(`rope scaling ${type} is not implemented for this architecture`, 'use another model');
    if (!source.tensors.has(ROPE_FACTORS)) return { rope_type: 'default', rope_theta: theta };
    const { part, factor } = proportionalScalingOf(source.float32(ROPE_FACTORS), source.path);
    return { rope_type: 'proportional', rope_theta: theta, partial_rotary_factor: part, factor: shortest(factor) };
  }
  if (source.tensors.has(ROPE_FACTORS)) {
    const positions = all.count(original, LLAMA3_ORIGINAL_POSITIONS);
    const scaling = llama3ScalingOf(source.float32(ROPE_FACTORS), theta, positions, source.path);
    return {
      rope_type: 'llama3',
      rope_theta: theta,
      factor: shortest(scaling.factor),
      low_freq_factor: scaling.lowFreqFactor,
      high_freq_factor: scaling.highFreqFactor,
      original_max_position_embeddings: positions,
    };
  }
  if (type === 'none') return { rope_type: 'default', rope_theta: theta };
  const factor = all.positive(key('rope.scaling.factor'));
  if (type === 'linear') return { rope_type: 'linear', rope_theta: theta, factor };
  if (type !== 'yarn') throw all.unsupported(`rope scaling ${type} is not implemented`, 'use another model');
  return {
    rope_type: 'yarn',
    rope_theta: theta,
    factor,
    original_max_position_embeddings: all.count(original, all.count(key('context_length'))),
    ...(all.has(key('rope.scaling.attn_factor'))
      ? { attention_factor: yarnAttentionFactor(factor) * all.positive(key('rope.scaling.attn_factor')) }
      : {}),
  };
}

function tokenIds(all: Fields): JsonObject {
  const id = (name: string): number | undefined =>
    all.tokenIds(`tokenizer.ggml.${name}_token_id`).find((token) => token !== NO_TOKEN);
  const ends = [...new Set([id('eos'), id('eot'), id('eom')].filter((end) => end !== undefined))];
  return {
    bos_token_id: id('bos') ?? null,
    eos_token_id: ends.length === 1 ? ends[0] : ends.length === 0 ? null : ends,
    pad_token_id: id('padding') ?? null,
  };
}

/** Some keys may differ from layer to layer; unless `mayDiffer`, every layer must be alike, but for those without (0). */
function perLayerCount(metadata: GgufMetadata, key: string, all: Fields, mayDiffer = false): number {
  const entry = metadata.get(key);
  if (entry?.type !== 'array') return all.count(key);
  const values = new Set(Array.from(entry.value as ArrayLike<unknown>, Number));
  values.delete(0);
  const [value] = values;
  if ((values.size === 1 || mayDiffer) && value !== undefined)
    return new Fields({ [key]: value }, all.where).count(key);
  throw all.unsupported(`${key} differs from layer to layer, which is not implemented`, 'use another model');
}

function slidingLayers(metadata: GgufMetadata, key: string): string[] | null {
  const entry = metadata.get(key);
  if (entry?.type !== 'array' || entry.items !== 'bool') return null;
  return entry.value.map((slides) => (slides ? 'sliding_attention' : 'full_attention'));
}

/** Scalars as JSON values. Arrays are left out: the vocabulary is among them. */
function plainValues(metadata: GgufMetadata): JsonObject {
  const plain: JsonObject = {};
  for (const [key, entry] of metadata) {
    if (entry.type === 'float32') plain[key] = shortest(entry.value);
    else if (typeof entry.value === 'bigint') plain[key] = Number(entry.value);
    else if (entry.type !== 'array') plain[key] = entry.value;
  }
  return plain;
}

/** The shortest decimal that is the same float32: 1e-5 where the file holds 9.999999747378752e-6. */
function shortest(value: number): number {
  const single = Math.fround(value);
  for (let digits = 1; digits < 9; digits++) {
    const rounded = Number(single.toPrecision(digits));
    if (Math.fround(rounded) === single) return rounded;
  }
  return single;
}
