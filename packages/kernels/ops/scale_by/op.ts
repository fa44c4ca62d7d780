import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** y = factor · x, by a number that a file holds and nothing trains: it has no gradient. */
export const scaleByOp: Op<'x' | 'factor', 'y'> = defineOp({
  name: 'scale_by',
  inputs: { x: 'A[T,N]', factor: 'f32[1]' },
  outputs: { y: 'A[T,N]' },
  inPlace: { y: ['x'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => T * N,
  backward: ({ graph, inputs: { factor }, gradients: { y: dy } }) =>
    dy ? { x: graph.apply(scaleByOp, { x: dy, factor }).y } : {},
});

/** @param factor [1] */
export function scaleBy(x: Tensor, factor: Tensor): Tensor {
  return graphOf(x).apply(scaleByOp, { x, factor }).y;
}
