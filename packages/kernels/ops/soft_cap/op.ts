import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** y = cap · tanh(x / cap): logits that are looked at. Those that a loss is made of are capped by linear_cross_entropy. Gemma 2, 2024. */
export const softCapOp = defineOp({
  name: 'soft_cap',
  inputs: { x: 'A[T,N]' },
  outputs: { y: 'A[T,N]' },
  attributes: ['cap'],
  inPlace: { y: ['x'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => 20 * T * N,
});

/** x itself for a cap of 0, which stands for none. */
export function softCap(x: Tensor, cap: number): Tensor {
  return cap === 0 ? x : graphOf(x).apply(softCapOp, { x }, { cap }).y;
}
