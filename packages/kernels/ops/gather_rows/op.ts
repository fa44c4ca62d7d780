import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** y[n] = x[rows[n]]. */
export const gatherRowsOp = defineOp({
  name: 'gather_rows',
  inputs: { x: 'f32[T,D]', rows: 'i32[N]' },
  outputs: { y: 'f32[N,D]' },
  cost: ({ N = 0, D = 0 }) => ({ flops: 0, bytes: 8 * N * D }),
});

export function gatherRows(x: Tensor, rows: Tensor): Tensor {
  return graphOf(x).apply(gatherRowsOp, { x, rows }).y;
}
