import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** y = cap · tanh(x / cap), as of logits that are looked at. Those that a loss is made of are capped by linear_cross_entropy. Gemma 2, 2024. */
export const softCapOp: Op<'x', 'y', 'cap'> = defineOp({
  name: 'soft_cap',
  inputs: { x: 'A[T,N]' },
  outputs: { y: 'A[T,N]' },
  attributes: ['cap'],
  inPlace: { y: ['x'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => 20 * T * N,
  backward: ({ graph, outputs: { y }, attributes, gradients: { y: dy } }) =>
    dy ? { x: graph.apply(softCapBackwardOp, { dy, y }, attributes).dx } : {},
});

/** dx = dy · (1 - (y / cap)²). */
export const softCapBackwardOp = defineOp({
  name: 'soft_cap_backward',
  inputs: { dy: 'A[T,N]', y: 'A[T,N]' },
  outputs: { dx: 'A[T,N]' },
  attributes: ['cap'],
  inPlace: { dx: ['dy', 'y'] },
  tiles: true,
  flops: ({ T = 0, N = 0 }) => 4 * T * N,
});

/** x itself for a cap of 0, which stands for none. */
export function softCap(x: Tensor, cap: number): Tensor {
  return cap === 0 ? x : graphOf(x).apply(softCapOp, { x }, { cap }).y;
}
