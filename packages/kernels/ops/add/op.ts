import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** y = a + b. */
export const addOp = defineOp({
  name: 'add',
  inputs: { a: 'A[T,N]', b: 'A[T,N]' },
  outputs: { y: 'A[T,N]' },
  inPlace: { y: ['a', 'b'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => T * N,
  backward: ({ gradients: { y: dy } }) => (dy ? { a: dy, b: dy } : {}),
});

export function add(a: Tensor, b: Tensor): Tensor {
  return graphOf(a).apply(addOp, { a, b }).y;
}
