import type { GgufPart } from '../architecture.ts';
import type { ModelConfig } from '../config.ts';
import { leftOutPart, ropesJson, sharingRefusal, slidingMetadata } from '../gemma4/gguf.ts';
import { float32, uint32 } from '../gguf/writeMetadata.ts';
import { normalQuantile } from '../normalQuantile.ts';

/** What llama.cpp takes from the name of the architecture: all of this E2B and E4B have. */
const KNOWN = { firstShared: 20, sparse: 10, share: 0.95, size: 256, laurelRank: 64, softCap: 30, period: 5 };

const usualShare = (layer: number): number => (layer < KNOWN.sparse ? KNOWN.share : 0);

/**
 * Files have keys and values of layers that share those of others, which nobody reads, and a row for each token of the vocabulary in the table of
 * the layers.
 */
export const ggufPart: GgufPart = {
  configJson: (fields, common) => {
    const layerCount = fields.count('block_count');
    return {
      hidden_activation: 'gelu_pytorch_tanh',
      hidden_size_per_layer_input: fields.count('embedding_length_per_layer_input', KNOWN.size),
      vocab_size_per_layer_input: common['vocab_size'],
      laurel_rank: KNOWN.laurelRank,
      final_logit_softcapping: KNOWN.softCap,
      num_kv_shared_layers: Math.max(0, layerCount - KNOWN.firstShared),
      activation_sparsity_pattern: Array.from({ length: layerCount }, (_, layer) => usualShare(layer)),
      sliding_window: fields.count('attention.sliding_window'),
      ...ropesJson(fields, common),
    };
  },
  metadata: (config) => {
    const { perLayerInputs, altUp, slidingRope, rope, logitSoftCap, activationSparsity } = config;
    const scales = Float32Array.from(activationSparsity, (share) =>
      share === 0 ? Number.NEGATIVE_INFINITY : normalQuantile(share),
    );
    return [
      ...slidingMetadata(config),
      uint32('altup.active_idx', 0),
      uint32('altup.num_inputs', altUp?.streams ?? 1),
      uint32('embedding_length_per_layer_input', perLayerInputs?.size ?? 0),
      ['activation_sparsity_scale', { type: 'array', items: 'float32', value: scales }],
      float32('rope.freq_base_swa', (slidingRope ?? rope).theta),
      float32('final_logit_softcapping', logitSoftCap),
    ];
  },
  refusal: (config) => {
    const { perLayerInputs, altUp, layerCount, keySharing, logitSoftCap, slidingRope, rope } = config;
    if (perLayerInputs?.size !== KNOWN.size || altUp?.laurelRank !== KNOWN.laurelRank)
      return `llama.cpp knows gemma3n only with hidden_size_per_layer_input ${KNOWN.size} and laurel_rank ${KNOWN.laurelRank}`;
    if (Math.min(KNOWN.firstShared, layerCount) !== (keySharing?.from ?? layerCount))
      return `llama.cpp knows gemma3n only with keys and values of their own in the first ${KNOWN.firstShared} layers (num_kv_shared_layers)`;
    if (logitSoftCap !== KNOWN.softCap)
      return `llama.cpp knows gemma3n only with final_logit_softcapping ${KNOWN.softCap}`;
    if (config.activationSparsity.some((share, layer) => share !== usualShare(layer)))
      return `llama.cpp knows gemma3n only with a sparsity of ${KNOWN.share} in the first ${KNOWN.sparse} layers`;
    if (rope.scaling !== null || (slidingRope ?? rope).scaling !== null)
      return 'llama.cpp knows gemma3n only with plain ropes';
    if (config.slidingWindow.some((window, layer) => ((layer + 1) % KNOWN.period === 0) !== (window === null)))
      return `llama.cpp knows gemma3n only with full attention in every ${KNOWN.period}th layer and nowhere else`;
    return sharingRefusal(config);
  },
  honorsWindow: true,
  leftOutPart,
  unread: sharedKeys,
};

function sharedKeys({
  keySharing,
  layerCount,
  kvHeadCount,
  headSize,
  hiddenSize,
}: ModelConfig): ReturnType<NonNullable<GgufPart['unread']>> {
  const shared = Array.from({ length: layerCount }, (_, layer) => layer).slice(keySharing?.from ?? layerCount);
  const rows = kvHeadCount * headSize;
  return shared.flatMap((layer) => [
    { name: `blk.${layer}.attn_k.weight`, shape: [rows, hiddenSize] },
    { name: `blk.${layer}.attn_v.weight`, shape: [rows, hiddenSize] },
    { name: `blk.${layer}.attn_k_norm.weight`, shape: [headSize] },
  ]);
}
