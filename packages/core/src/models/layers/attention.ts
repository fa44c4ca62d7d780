import { attention, attentionCached, qkvRope, type RopeTable, rmsNorm, rope, type Tensor } from '@anneal/kernels';
import type { ModelScope } from './modelScope.ts';

/** What the tokens of a call attend to: each other within documents, or everything in a cache. */
export type Visibility =
  | { readonly kind: 'packed'; readonly cuSeqlens: Tensor }
  | {
      readonly kind: 'cached';
      readonly positions: Tensor;
      readonly cacheOf: (layer: number) => { keys: Tensor; values: Tensor };
    };

/** Grouped-query self-attention with rotary positions; returns residual + its output. */
export function selfAttention(
  m: ModelScope,
  layer: number,
  x_TD: Tensor,
  residual_TD: Tensor,
  table: RopeTable,
  visible: Visibility,
): Tensor {
  const { config } = m;
  const name = (part: string) => `layers.${layer}.${part}`;
  const { q: q_TQ, k: k_TK, v: v_TK } = queriesKeysValues(m, name, x_TD, table);
  const options = {
    heads: config.headCount,
    kvHeads: config.kvHeadCount,
    headSize: config.headSize,
    scale: 1 / Math.sqrt(config.headSize),
    window: config.slidingWindow[layer] ?? 0,
  };
  const o_TQ =
    visible.kind === 'packed'
      ? attention(q_TQ, k_TK, v_TK, visible.cuSeqlens, { ...options, bf16: m.bf16 })
      : attentionCached(q_TQ, k_TK, v_TK, visible.cacheOf(layer), visible.positions, options);
  return m.linear(o_TQ, name('o'), residual_TD);
}

/** Queries and keys normed, where the model does that, and rotated. By one product and one launch where that can be. */
function queriesKeysValues(m: ModelScope, name: (part: string) => string, x_TD: Tensor, table: RopeTable) {
  const { qkNorm, rmsNormEps: eps, headCount: heads, kvHeadCount: kvHeads } = m.config;
  const norms = qkNorm ? { q: m.weight(name('q_norm')), k: m.weight(name('k_norm')), eps } : null;
  const names = [name('q'), name('k'), name('v')] as const;
  const qkv_TE = norms?.q.kind === 'parameter' ? null : m.projectMerged(x_TD, names);
  if (qkv_TE) return qkvRope(qkv_TE, table, { heads, kvHeads, norms });
  const [q_TQ, k_TK, v_TK] = m.project(x_TD, names);
  const turned = (y: Tensor, weight: Tensor | undefined) => rope(weight ? rmsNorm(y, weight, eps) : y, table);
  return { q: turned(q_TQ, norms?.q), k: turned(k_TK, norms?.k), v: v_TK };
}
