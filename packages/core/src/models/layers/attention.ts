import { attention, attentionCached, type RopeTable, rmsNorm, rope, type Tensor } from '@anneal/kernels';
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
  let [q, k, v] = m.project(x, [name('q'), name('k'), name('v')]);
  if (config.qkNorm) {
    q = rmsNorm(q, m.weight(name('q_norm')), config.rmsNormEps);
    k = rmsNorm(k, m.weight(name('k_norm')), config.rmsNormEps);
  }
  q = rope(q, table);
  k = rope(k, table);
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
