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

/** Grouped-query self-attention with rotary positions; returns residual + its output. x, residual: [T, D]. */
export function selfAttention(
  m: ModelScope,
  layer: number,
  x: Tensor,
  residual: Tensor,
  table: RopeTable,
  visible: Visibility,
): Tensor {
  const { config } = m;
  const name = (part: string) => `layers.${layer}.${part}`;
  const { q, k, v } = queriesKeysValues(m, name, x, table);
  const options = {
    heads: config.headCount,
    kvHeads: config.kvHeadCount,
    headSize: config.headSize,
    scale: 1 / Math.sqrt(config.headSize),
    window: config.slidingWindow[layer] ?? 0,
  };
  const out =
    visible.kind === 'packed'
      ? attention(q, k, v, visible.cuSeqlens, { ...options, bf16: m.bf16 })
      : attentionCached(q, k, v, visible.cacheOf(layer), visible.positions, options);
  return m.linear(out, name('o'), residual);
}

/** Queries and keys normed, where the model does that, and rotated. By one product and one launch where that can be. */
function queriesKeysValues(m: ModelScope, name: (part: string) => string, x: Tensor, table: RopeTable) {
  const { qkNorm, rmsNormEps: eps, headCount: heads, kvHeadCount: kvHeads } = m.config;
  const norms = qkNorm ? { q: m.weight(name('q_norm')), k: m.weight(name('k_norm')), eps } : null;
  const names = [name('q'), name('k'), name('v')] as const;
  const merged = norms?.q.kind === 'parameter' ? null : m.projectMerged(x, names);
  if (merged) return qkvRope(merged, table, { heads, kvHeads, norms });
  const [q, k, v] = m.project(x, names);
  const turned = (y: Tensor, weight: Tensor | undefined) => rope(weight ? rmsNorm(y, weight, eps) : y, table);
  return { q: turned(q, norms?.q), k: turned(k, norms?.k), v };
}
