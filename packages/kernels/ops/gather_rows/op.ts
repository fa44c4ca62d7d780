import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** y[n] = x[rows[n]]. */
export const gatherRowsOp = defineOp({
  name: 'gather_rows',
  inputs: { x: 'A[T,D]', rows: 'i32[N]' },
  outputs: { y: 'A[N,D]' },
  flops: () => 0,
});

export function gatherRows(x: Tensor, rows: Tensor): Tensor {
  return graphOf(x).apply(gatherRowsOp, { x, rows }).y;
}
