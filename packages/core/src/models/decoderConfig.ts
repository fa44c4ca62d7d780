import { attentionLimits } from '@anneal/kernels';
import type { ExpertsConfig, ModelConfig } from './config.ts';
import type { Fields } from './fields.ts';
import { type RopeTraits, readRopes } from './readRope.ts';
import { hasScoreHead } from './scoreHead.ts';

/** What an architecture does in its own way; what it leaves out is as in Llama. */
export interface DecoderTraits extends RopeTraits {
  readonly architecture: string;
  /** Used where config.json has no head_dim; null means hidden_size / num_attention_heads. */
  readonly defaultHeadSize?: number | null;
  /** Of every layer. */
  readonly slidingWindow?: (layerCount: number) => (number | null)[];
  /** Config.json names the activation by it. */
  readonly activationField?: string;
  readonly experts?: (layerCount: number) => ExpertsConfig;
  /** Instead of head_dim, and how much of it is turned. */
  readonly headSize?: number;
  readonly rotarySize?: number;
  /** Instead of intermediate_size. */
  readonly intermediateSize?: number;
  /** Published files hold the experts in MXFP4. */
  readonly readsMxfp4?: boolean;
  /** Without `tie_word_embeddings`. */
  readonly tiesByDefault?: boolean;
  /** The fields of `ModelConfig` that differ from Llama's. */
  readonly config?: Partial<ModelConfig>;
}

/** Bounds what an absurd config can make us allocate; the deepest published models have under 200. */
export const MAX_LAYERS = 1024;

/**
 * Reads a config.json as transformers does, in the spelling of its version 4 or 5.
 * @throws UserError where a value is missing or wrong, or where the model needs something that is not implemented.
 */
export function readDecoderConfig(fields: Fields, generation: Fields | null, traits: DecoderTraits): ModelConfig {
  refuseWhatWouldChangeTheModel(fields, traits);
  const hiddenSize = fields.count('hidden_size');
  const headCount = fields.count('num_attention_heads', undefined, attentionLimits.heads);
  const kvHeadCount = fields.count('num_key_value_heads', headCount);
  const written = fields.has('head_dim') ? fields.count('head_dim') : null;
  const headSize = traits.headSize ?? written ?? traits.defaultHeadSize ?? hiddenSize / headCount;
  if (!Number.isInteger(headSize) || headSize % 2 !== 0) {
    throw fields.wrong('head_dim', 'an even number, or hidden_size an even multiple of num_attention_heads');
  }
  if (headSize > attentionLimits.headSize) throw fields.wrong('head_dim', `at most ${attentionLimits.headSize}`);
  if (headCount % kvHeadCount !== 0) throw fields.wrong('num_key_value_heads', `a divisor of ${headCount} heads`);
  const layerCount = fields.count('num_hidden_layers', undefined, MAX_LAYERS);
  const everyLayer = <Value>(value: Value): Value[] => Array.from({ length: layerCount }, () => value);
  const maxPositions = fields.count('max_position_embeddings');
  const scoreHead = hasScoreHead(fields);
  const vocabSize = fields.count('vocab_size');
  const eosTokenIds = [fields, generation].flatMap((file) => file?.tokenIds('eos_token_id', vocabSize) ?? []);
  return {
    architecture: traits.architecture,
    vocabSize,
    hiddenSize,
    layerCount,
    headCount,
    kvHeadCount,
    headSize,
    intermediateSize: traits.intermediateSize ?? fields.count('intermediate_size'),
    mixers: everyLayer('attention'),
    shortConvSize: null,
    latentAttention: null,
    gatedDelta: null,
    stateSpace: null,
    experts: null,
    rmsNormEps: fields.positive('rms_norm_eps', 1e-6),
    tieWordEmbeddings: !scoreHead && fields.boolean('tie_word_embeddings', traits.tiesByDefault ?? false),
    scoreHead,
    maxPositions,
    attentionBias: false,
    attentionGate: false,
    outputBias: false,
    mlpBias: false,
    attentionSinks: false,
    valueNorm: false,
    globalAttention: null,
    keySharing: null,
    perLayerInputs: null,
    altUp: null,
    activationSparsity: everyLayer(0),
    layerScale: false,
    qkNorm: null,
    fusedQkv: false,
    fusedGateUp: false,
    activation: 'silu',
    norms: 'before',
    normOffset: 0,
    attentionScale: 1 / Math.sqrt(headSize),
    attentionSoftCap: 0,
    logitSoftCap: 0,
    embeddingScale: 1,
    residualScale: 1,
    logitScale: 1,
    slidingWindow: traits.slidingWindow?.(layerCount) ?? everyLayer(null),
    hasRope: everyLayer(true),
    rotaryPairs: 'halves',
    ...readRopes(fields, { headSize: traits.rotarySize ?? headSize, maxPositions }, traits),
    bosTokenId: fields.tokenIds('bos_token_id')[0] ?? null,
    eosTokenIds: [...new Set(eosTokenIds)],
    padTokenId: fields.tokenIds('pad_token_id')[0] ?? null,
    attentionDropout: fields.probability('attention_dropout', 0),
    residualDropout: fields.probability('residual_dropout', 0),
    ...(traits.experts && { experts: traits.experts(layerCount) }),
    ...traits.config,
  };
}

const OTHER_MODEL = 'use another model, or add what is missing (docs/add-a-model.md)';

/** Names of the activations in config.json. */
const ACTIVATIONS = { silu: ['silu', 'swish'], gelu_tanh: ['gelu_pytorch_tanh'] } as const;

function refuseWhatWouldChangeTheModel(
  fields: Fields,
  { activationField = 'hidden_act', config, experts, readsMxfp4 = false }: DecoderTraits,
): void {
  const quantization = fields.object('quantization_config');
  const method = quantization?.string('quant_method', 'unknown method');
  const isNf4 = method === 'bitsandbytes' && quantization?.boolean('load_in_4bit', false);
  const isRead = isNf4 || (method === 'mxfp4' && readsMxfp4);
  if (quantization && !isRead) {
    throw fields.unsupported(
      `the weights are stored quantized (${method}), which cannot be trained from`,
      'use the original checkpoint in bf16, f16 or f32, or one of bitsandbytes in NF4',
    );
  }
  if (!fields.boolean('is_causal', true))
    throw fields.unsupported('attention to later tokens (is_causal: false) is not implemented', OTHER_MODEL);
  const known: readonly string[] = ACTIVATIONS[config?.activation ?? 'silu'];
  const activation = fields.string(activationField, known[0]);
  if (!known.includes(activation)) {
    throw fields.unsupported(`${activationField} ${activation} is not implemented, only ${known[0]}`, OTHER_MODEL);
  }
  if (experts) return;
  for (const key of ['num_experts', 'num_local_experts', 'n_routed_experts']) {
    if (fields.has(key) && fields.raw(key) !== 0)
      throw fields.unsupported(`mixtures of experts (${key}) are not implemented for this model type`, OTHER_MODEL);
  }
}
