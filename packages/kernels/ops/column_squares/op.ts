import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { columnSumBytes } from '../../src/workspace.ts';
import type { ExpertRoutes } from '../expert_route/op.ts';

/** sums += of each column of x the sum of its squares. */
export const columnSquaresOp = defineOp({
  name: 'column_squares',
  inputs: { x: 'A[T,N]', sums: 'f32[N]' },
  outputs: { total: 'f32[N]' },
  updates: { total: 'sums' },
  workspace: ({ T = 0, N = 0 }, { device }) => (device === 'cuda' ? columnSumBytes(T, N) : 0),
  flops: ({ T = 0, N = 0 }) => 2 * T * N,
});

/** The same for the rows of each expert e: several of B / (G - 1) elements for each token. */
export const expertColumnSquaresOp = defineOp({
  name: 'expert_column_squares',
  inputs: { x: 'A[T,Y]', offsets: 'i32[G]', sums: 'f32[B]' },
  outputs: { total: 'f32[B]' },
  derive: checkRows,
  updates: { total: 'sums' },
  flops: ({ T = 0, Y = 0 }) => 2 * T * Y,
});

function checkRows({ G, B, Y }: Extents): Extents {
  const each = Number(B) / (Number(G) - 1);
  if (!Number.isInteger(each) || Number(Y) % each !== 0)
    throw new Error(`expert_column_squares: ${B} sums of ${Number(G) - 1} experts do not fit rows of ${Y}`);
  return {};
}

export function columnSquares(x_TN: Tensor, sums_N: Tensor): void {
  graphOf(x_TN).apply(columnSquaresOp, { x: x_TN, sums: sums_N });
}

/** @param sums [E · N], the experts' one behind the other */
export function expertColumnSquares(x_TY: Tensor, { offsets }: Pick<ExpertRoutes, 'offsets'>, sums: Tensor): void {
  graphOf(x_TY).apply(expertColumnSquaresOp, { x: x_TY, offsets, sums });
}
