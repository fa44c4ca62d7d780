import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { completeProjection, type MergedProjection } from '../grouped_linear/op.ts';

/** Queries, keys and values out of one product, x = [q k v], of heads of one size: where qkv_rope cannot turn them. */
export const splitQkvOp = defineOp({
  name: 'split_qkv',
  inputs: { x: 'A[T,W]' },
  outputs: { q: 'A[T,Q]', k: 'A[T,M]', v: 'A[T,M]' },
  attributes: ['heads', 'kvHeads'],
  derive: ({ W }, { heads, kvHeads }) => {
    const size = Number(W) / (heads + 2 * kvHeads);
    if (!Number.isInteger(size)) throw new Error(`split_qkv: ${W} columns are not ${heads} + 2 · ${kvHeads} heads`);
    return { Q: heads * size, M: kvHeads * size };
  },
  cheap: true,
  flops: () => 0,
  backward: ({ graph, gradients: { q, k, v } }) => {
    if (!q || !k || !v) throw new Error('split_qkv: an output is not used');
    return { x: graph.apply(joinQkvOp, { q, k, v }).x };
  },
});

/** x = [q k v]. */
export const joinQkvOp = defineOp({
  name: 'join_qkv',
  inputs: { q: 'A[T,Q]', k: 'A[T,M]', v: 'A[T,M]' },
  outputs: { x: 'A[T,W]' },
  derive: ({ Q, M }) => ({ W: Number(Q) + 2 * Number(M) }),
  flops: () => 0,
});

/** The projection: [T, (heads + 2 · kvHeads) · head size]. */
export function splitQkv(
  projection: MergedProjection,
  options: { readonly heads: number; readonly kvHeads: number },
): { readonly q: Tensor; readonly k: Tensor; readonly v: Tensor } {
  const x = completeProjection(projection);
  return graphOf(x).apply(splitQkvOp, { x }, { ...options });
}
