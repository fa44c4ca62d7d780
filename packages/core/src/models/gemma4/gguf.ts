import type { JsonObject } from '@anneal/formats/json';
import type { TensorSource } from '@anneal/formats/tensor';
import type { GgufPart } from '../architecture.ts';
import { headsOf, type ModelConfig } from '../config.ts';
import type { Fields } from '../fields.ts';
import { float32, uint32 } from '../gguf/writeMetadata.ts';

/**
 * Sizes without a suffix are those of layers without a window there; `swa` marks those of layers with one. That only part of a head turns is said
 * by the tensor of rope factors.
 */
export const ggufPart: GgufPart = {
  configJson: (fields, common, source) => {
    const sliding = fields.count('attention.key_length_swa');
    if (fields.count('rope.dimension_count_swa', sliding) !== sliding)
      throw fields.unsupported('rope of a part of each head in layers with a window is not implemented', OTHER);
    const layerTypes = Array.isArray(common['layer_types']) ? common['layer_types'] : [];
    const global = common['head_dim'] as number;
    const kvHeads = (type: string, headSize: number): number =>
      rowsOf(source, `blk.${layerTypes.indexOf(type)}.attn_k.weight`) / headSize;
    const hasExperts = fields.count('expert_count', 0, undefined, 0) > 0;
    return {
      hidden_activation: 'gelu_pytorch_tanh',
      head_dim: sliding,
      num_key_value_heads: kvHeads('sliding_attention', sliding),
      global_head_dim: global,
      num_global_key_value_heads: kvHeads('full_attention', global),
      attention_k_eq_v: !source.tensors.has(`blk.${layerTypes.indexOf('full_attention')}.attn_v.weight`),
      vocab_size_per_layer_input: common['vocab_size'],
      hidden_size_per_layer_input: fields.count('embedding_length_per_layer_input', 0, undefined, 0),
      final_logit_softcapping: fields.has('final_logit_softcapping')
        ? fields.positive('final_logit_softcapping')
        : null,
      ...sharing(fields, source),
      ...ropesJson(fields, common),
      enable_moe_block: hasExperts,
      ...(hasExperts && {
        top_k_experts: fields.count('expert_used_count'),
        moe_intermediate_size: fields.count('expert_feed_forward_length'),
      }),
    };
  },
  metadata: (config) => {
    const { globalAttention: global, headSize, experts, rope, slidingRope, logitSoftCap, perLayerInputs } = config;
    const size = global?.headSize ?? headSize;
    const perLayer = (value: (layer: number) => number): Uint32Array<ArrayBuffer> =>
      Uint32Array.from({ length: config.layerCount }, (_, layer) => value(layer));
    return [
      ...slidingMetadata(config),
      uint32('embedding_length_per_layer_input', perLayerInputs?.size ?? 0),
      uint32('attention.key_length', size),
      uint32('attention.value_length', size),
      uint32('attention.key_length_swa', headSize),
      uint32('attention.value_length_swa', headSize),
      uint32('rope.dimension_count', size),
      uint32('rope.dimension_count_swa', headSize),
      float32('rope.freq_base_swa', (slidingRope ?? rope).theta),
      [
        'attention.head_count_kv',
        { type: 'array', items: 'uint32', value: perLayer((layer) => headsOf(config, layer).kvHeadCount) },
      ],
      ['feed_forward_length', { type: 'array', items: 'uint32', value: perLayer((layer) => mlpSize(config, layer)) }],
      ...(logitSoftCap === 0 ? [] : [float32('final_logit_softcapping', logitSoftCap)]),
      ...(experts
        ? [
            uint32('expert_count', experts.count),
            uint32('expert_used_count', experts.choices),
            uint32('expert_feed_forward_length', experts.intermediateSize),
          ]
        : []),
    ];
  },
  refusal: (config) => {
    const { rope, slidingRope, slidingWindow } = config;
    if (slidingWindow.every((window) => window === null))
      return 'llama.cpp knows gemma4 only with layers that have a window';
    if (rope.scaling?.kind !== 'proportional' || (slidingRope ?? rope).scaling !== null)
      return 'llama.cpp knows gemma4 only with a proportional rope in layers without a window, and a plain one in the others';
    return sharingRefusal(config);
  },
  honorsWindow: true,
  proportionalRope: true,
  differsByLayer: true,
  leftOutPart,
};

const OTHER = "use the model's Hugging Face folder";

/** What Gemma 3n says of its layers, too. */
export function slidingMetadata({
  slidingWindow,
  layerCount,
  keySharing,
}: ModelConfig): ReturnType<GgufPart['metadata']> {
  return [
    uint32('attention.shared_kv_layers', keySharing ? layerCount - keySharing.from : 0),
    [
      'attention.sliding_window_pattern',
      { type: 'array', items: 'bool', value: slidingWindow.map((window) => window !== null) },
    ],
  ];
}

/** llama.cpp takes the keys of the last two layers that have their own: with a window, then without. */
export function sharingRefusal({ keySharing, slidingWindow }: ModelConfig): string | null {
  if (!keySharing) return null;
  const [slides, full] = slidingWindow.slice(keySharing.from - 2, keySharing.from);
  const isKnown = keySharing.from >= 2 && slides !== null && full === null;
  return isKnown
    ? null
    : 'llama.cpp knows layers that share keys only behind one with a window and one without (num_kv_shared_layers)';
}

/** Files hold keys and values of layers that share those of others, too. */
export function leftOutPart(stored: string, { keySharing }: ModelConfig): string | null {
  const layer = /^blk\.(\d+)\.attn_(k|v|k_norm)\.weight$/.exec(stored)?.[1];
  return keySharing && Number(layer) >= keySharing.from ? 'keys and values that layers share' : null;
}

function sharing(fields: Fields, source: TensorSource): JsonObject {
  const shared = fields.count('attention.shared_kv_layers', 0, undefined, 0);
  const widest = rowsOf(source, `blk.${fields.count('block_count') - 1}.ffn_gate.weight`);
  return {
    num_kv_shared_layers: shared,
    use_double_wide_mlp: shared > 0 && widest === 2 * rowsOf(source, 'blk.0.ffn_gate.weight'),
  };
}

/** As Gemma 3n has them, too. */
export function ropesJson(fields: Fields, common: JsonObject): JsonObject {
  return {
    rope_parameters: {
      full_attention: common['rope_parameters'] ?? null,
      sliding_attention: { rope_type: 'default', rope_theta: fields.positive('rope.freq_base_swa', 10_000) },
    },
  };
}

/** 0 of a tensor that is missing, which checkTensors names. */
function rowsOf(source: TensorSource, name: string): number {
  return source.tensors.get(name)?.shape[0] ?? 0;
}

function mlpSize({ keySharing, intermediateSize }: ModelConfig, layer: number): number {
  return keySharing && layer >= keySharing.from ? keySharing.intermediateSize : intermediateSize;
}
