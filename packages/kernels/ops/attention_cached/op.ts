import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { type AttentionOptions, attentionAttributes, checkHeads } from '../attention/op.ts';

/** Stores the keys or values of consecutive tokens at rows positions[0]… of the cache. */
export const cacheWriteOp = defineOp({
  name: 'cache_write',
  inputs: { x: 'A[T,K]', cache: 'f32|bf16[L,K]', positions: 'i32[T]' },
  outputs: { written: 'f32[L,K]' },
  updates: { written: 'cache' },
  flops: () => 0,
});

/** As `attention`, for consecutive tokens of one sequence against the cache, which already holds their own keys and values. */
export const attentionCachedOp = defineOp({
  name: 'attention_cached',
  inputs: { q: 'A[T,Q]', keys: 'f32|bf16[L,K]', values: 'f32|bf16[L,K]', positions: 'i32[T]' },
  outputs: { out: 'A[T,Q]' },
  attributes: attentionAttributes,
  derive: (extents, attributes) => checkHeads('attention_cached', extents, attributes),
  flops: ({ T = 0, Q = 0, L = 0 }) => 4 * T * L * Q,
});

/** Appends k and v to the caches and attends to everything in them up to each token's own position. */
export function attentionCached(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  cache: { readonly keys: Tensor; readonly values: Tensor },
  positions: Tensor,
  options: AttentionOptions,
): Tensor {
  const graph = graphOf(q);
  graph.apply(cacheWriteOp, { x: k, cache: cache.keys, positions });
  graph.apply(cacheWriteOp, { x: v, cache: cache.values, positions });
  return graph.apply(attentionCachedOp, { q, keys: cache.keys, values: cache.values, positions }, { ...options }).out;
}
