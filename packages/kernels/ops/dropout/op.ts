import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/**
 * y = x / (1 - rate) where an element is kept, else 0. Which are kept follows from (seed, stream, index) alone by Philox 4x32-10
 * (Salmon et al. 2011), so that recomputation and the backward pass find the same ones without storing a mask.
 */
export const dropoutOp: Op<'x' | 'seed', 'y', 'rate' | 'stream'> = defineOp({
  name: 'dropout',
  inputs: { x: 'A[T,N]', seed: 'i32[2]' },
  outputs: { y: 'A[T,N]' },
  attributes: ['rate', 'stream'],
  inPlace: { y: ['x'] },
  cheap: true,
  flops: ({ T = 0, N = 0 }) => 20 * T * N,
  backward: ({ graph, inputs: { seed }, attributes, gradients: { y: dy } }) =>
    dy ? { x: graph.apply(dropoutOp, { x: dy, seed }, attributes).y } : {},
});

/** `seed` differs for every micro-batch, `stream` for every place in the model. */
export function dropout(x: Tensor, seed: Tensor, rate: number, stream: number): Tensor {
  return graphOf(x).apply(dropoutOp, { x, seed }, { rate, stream }).y;
}
