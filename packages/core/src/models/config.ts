import { attentionLimits } from '@anneal/kernels';
import type { Fields } from './fields.ts';
import { type RopeConfig, readRope } from './rope.ts';

/** What every architecture reads its config.json into. */
export interface ModelConfig {
  /** `model_type` in config.json. */
  readonly architecture: string;
  readonly vocabSize: number;
  readonly hiddenSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly kvHeadCount: number;
  readonly headSize: number;
  readonly intermediateSize: number;
  readonly rmsNormEps: number;
  /** The language-model head is the embedding matrix itself; no `lm_head` tensor exists. */
  readonly tieWordEmbeddings: boolean;
  readonly maxPositions: number;
  /** q, k and v have biases. */
  readonly attentionBias: boolean;
  /** o has a bias. */
  readonly outputBias: boolean;
  /** gate, up and down have biases. */
  readonly mlpBias: boolean;
  /** q and k are RMS-normalized per head before rope. */
  readonly qkNorm: boolean;
  /** Per layer: the number of keys a query sees, itself included, or null for full causal attention. */
  readonly slidingWindow: readonly (number | null)[];
  readonly rope: RopeConfig;
  readonly bosTokenId: number | null;
  /** Every token that ends a generation, those of generation_config.json included. */
  readonly eosTokenIds: readonly number[];
  readonly padTokenId: number | null;
  /** Probability with which transformers drops attention weights in training. No graph of ours does: whoever trains says so. */
  readonly attentionDropout: number;
}

/** What differs between the architectures that share one decoder block; the rest is read alike by `readDecoderConfig`. */
export interface DecoderTraits {
  readonly architecture: string;
  readonly attentionBias: boolean;
  readonly outputBias: boolean;
  readonly mlpBias: boolean;
  readonly qkNorm: boolean;
  /** Used where config.json has no head_dim; null means hidden_size / num_attention_heads. */
  readonly defaultHeadSize: number | null;
  readonly slidingWindow: (layerCount: number) => (number | null)[];
}

/** Bounds what an absurd config can make us allocate; the deepest published models have under 200. */
const MAX_LAYERS = 1024;

/**
 * Reads a config.json as transformers does, in the spelling of its version 4 or 5.
 * @throws UserError where a value is missing or wrong, or where the model needs something that is not implemented.
 */
export function readDecoderConfig(fields: Fields, generation: Fields | null, traits: DecoderTraits): ModelConfig {
  refuseWhatWouldChangeTheModel(fields);
  const hiddenSize = fields.count('hidden_size');
  const headCount = fields.count('num_attention_heads', undefined, attentionLimits.heads);
  const kvHeadCount = fields.count('num_key_value_heads', headCount);
  const headSize = fields.has('head_dim')
    ? fields.count('head_dim')
    : (traits.defaultHeadSize ?? hiddenSize / headCount);
  if (!Number.isInteger(headSize) || headSize % 2 !== 0) {
    throw fields.wrong('head_dim', 'an even number, or hidden_size an even multiple of num_attention_heads');
  }
  if (headSize > attentionLimits.headSize) throw fields.wrong('head_dim', `at most ${attentionLimits.headSize}`);
  if (headCount % kvHeadCount !== 0) throw fields.wrong('num_key_value_heads', `a divisor of ${headCount} heads`);
  const layerCount = fields.count('num_hidden_layers', undefined, MAX_LAYERS);
  const maxPositions = fields.count('max_position_embeddings');
  const vocabSize = fields.count('vocab_size');
  const eosTokenIds = [
    ...new Set([...fields.tokenIds('eos_token_id'), ...(generation?.tokenIds('eos_token_id') ?? [])]),
  ];
  return {
    architecture: traits.architecture,
    vocabSize,
    hiddenSize,
    layerCount,
    headCount,
    kvHeadCount,
    headSize,
    intermediateSize: fields.count('intermediate_size'),
    rmsNormEps: fields.positive('rms_norm_eps', 1e-6),
    tieWordEmbeddings: fields.boolean('tie_word_embeddings', false),
    maxPositions,
    attentionBias: traits.attentionBias,
    outputBias: traits.outputBias,
    mlpBias: traits.mlpBias,
    qkNorm: traits.qkNorm,
    slidingWindow: traits.slidingWindow(layerCount),
    rope: readRope(fields, maxPositions),
    bosTokenId: fields.tokenIds('bos_token_id')[0] ?? null,
    eosTokenIds,
    padTokenId: fields.tokenIds('pad_token_id')[0] ?? null,
    attentionDropout: fields.probability('attention_dropout', 0),
  };
}

/**
 * The window of Qwen2 and Qwen3: off unless `use_sliding_window`, then on the layers that `layer_types` names, or
 * without it on those from `max_window_layers` up.
 */
export function readLayerWindows(fields: Fields, layerCount: number): (number | null)[] {
  const window = fields.boolean('use_sliding_window', false) ? fields.count('sliding_window', 4096) : null;
  const firstSliding = fields.count('max_window_layers', 28, undefined, 0);
  const types =
    fields.strings('layer_types') ??
    Array.from({ length: layerCount }, (_, layer) =>
      window !== null && layer >= firstSliding ? 'sliding_attention' : 'full_attention',
    );
  if (types.length !== layerCount) throw fields.wrong('layer_types', `a list of ${layerCount} entries, one per layer`);
  return types.map((type) => {
    if (type === 'full_attention') return null;
    if (type !== 'sliding_attention') throw fields.unsupported(`layer type ${type} is not implemented`, OTHER_MODEL);
    if (window === null) throw fields.wrong('use_sliding_window', 'true where layer_types has sliding_attention');
    return window;
  });
}

const OTHER_MODEL = 'use another model, or add what is missing (docs/add-a-model.md)';

function refuseWhatWouldChangeTheModel(fields: Fields): void {
  const quantization = fields.object('quantization_config');
  const method = quantization?.string('quant_method', 'unknown method');
  if (quantization && !(method === 'bitsandbytes' && quantization.boolean('load_in_4bit', false))) {
    throw fields.unsupported(
      `the weights are stored quantized (${method}), which cannot be trained from`,
      'use the original checkpoint in bf16, f16 or f32, or one of bitsandbytes in NF4',
    );
  }
  const activation = fields.string('hidden_act', 'silu');
  if (activation !== 'silu' && activation !== 'swish') {
    throw fields.unsupported(`hidden_act ${activation} is not implemented, only silu`, OTHER_MODEL);
  }
  for (const key of ['num_experts', 'num_local_experts', 'n_routed_experts']) {
    if (fields.has(key)) throw fields.unsupported(`mixtures of experts (${key}) are not implemented`, OTHER_MODEL);
  }
}
