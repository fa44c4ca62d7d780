import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { type AttentionOptions, attentionAttributes, checkHeads } from '../attention/op.ts';

/**
 * Where the tokens of a call lie in a cache. Without `sequences` they are consecutive ones of one sequence, and position p lies in row p.
 * Otherwise each of N sequences says: its first token, the row of its prompt, the tokens of that prompt, and the row of what follows
 * it. Sequences that answer one prompt share its rows. Of what follows a prompt a call has one token of each sequence.
 */
const places = { positions: 'i32[T]', sequences: 'i32[N,4]?' } as const;

/** Stores the keys or values of the tokens in the cache. */
export const cacheWriteOp = defineOp({
  name: 'cache_write',
  inputs: { x: 'A[T,K]', cache: 'f32|bf16[L,K]', ...places },
  outputs: { written: 'f32[L,K]' },
  updates: { written: 'cache' },
  flops: () => 0,
});

/** As `attention`, for tokens against the cache, which already holds their own keys and values. */
export const attentionCachedOp = defineOp({
  name: 'attention_cached',
  inputs: { q: 'A[T,Q]', keys: 'f32|bf16[L,K]', values: 'f32|bf16[L,K]', ...places, sinks: 'f32[H]?' },
  outputs: { out: 'A[T,Q]' },
  attributes: attentionAttributes,
  derive: (extents, attributes) => checkHeads('attention_cached', extents, attributes),
  // On a GPU, what each 64 rows of the cache give for the token of one sequence: attention/decode.cu.
  workspace: ({ L = 0 }, { device, dtypes, attributes: { heads, headSize } }) =>
    device === 'cuda' && !dtypes['sequences'] ? 4 * Math.ceil(L / 64) * heads * (headSize + 2) : 0,
  flops: ({ T = 0, Q = 0, L = 0 }) => 4 * T * L * Q,
});

export interface CachedAttentionOptions extends AttentionOptions {
  /** As `attention` takes them. */
  readonly sinks?: Tensor | undefined;
}

export interface CachePlaces {
  readonly positions: Tensor;
  readonly sequences?: Tensor | undefined;
}

export interface KeyValueCache {
  readonly keys: Tensor;
  readonly values: Tensor;
}

/** Appends k and v to the caches and attends to everything of a token's sequence up to its own position. */
export function attentionCached(
  q: Tensor,
  k: Tensor,
  v: Tensor,
  cache: KeyValueCache,
  { positions, sequences }: CachePlaces,
  options: CachedAttentionOptions,
): Tensor {
  const graph = graphOf(q);
  const where = { positions, sequences };
  graph.apply(cacheWriteOp, { x: k, cache: cache.keys, ...where });
  graph.apply(cacheWriteOp, { x: v, cache: cache.values, ...where });
  return attentionOverCache(q, cache, where, options);
}

/** The same against what an earlier layer appended for these tokens. */
export function attentionOverCache(
  q: Tensor,
  { keys, values }: KeyValueCache,
  { positions, sequences }: CachePlaces,
  { sinks, ...options }: CachedAttentionOptions,
): Tensor {
  return graphOf(q).apply(attentionCachedOp, { q, keys, values, positions, sequences, sinks }, options).out;
}
