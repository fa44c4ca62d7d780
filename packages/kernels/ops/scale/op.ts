import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** y = factor · x. */
export const scaleOp: Op<'x', 'y', 'factor'> = defineOp({
  name: 'scale',
  inputs: { x: 'A[T,N]' },
  outputs: { y: 'A[T,N]' },
  attributes: ['factor'],
  inPlace: { y: ['x'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => T * N,
  backward: ({ graph, attributes, gradients: { y: dy } }) =>
    dy ? { x: graph.apply(scaleOp, { x: dy }, attributes).y } : {},
});

/** x itself for a factor of 1. */
export function scale(x: Tensor, factor: number): Tensor {
  return factor === 1 ? x : graphOf(x).apply(scaleOp, { x }, { factor }).y;
}
