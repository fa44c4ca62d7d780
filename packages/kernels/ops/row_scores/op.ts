import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** scores[r] = x[rows[r]] · weight: what a head with one output says of single tokens, in float32. The rows are distinct. */
export const rowScoresOp = defineOp({
  name: 'row_scores',
  inputs: { x: 'A[T,D]', weight: 'f32[1,D]', rows: 'i32[R]' },
  outputs: { scores: 'f32[R]' },
  flops: ({ R = 0, D = 0 }) => 2 * R * D,
  backward: ({ graph, inputs, gradients: { scores: dscores }, needs, gradientOf }) => {
    if (!dscores) return {};
    const gradient = needs('weight') ? gradientOf('weight') : undefined;
    return { x: graph.apply(rowScoresBackwardOp, { ...inputs, dscores, gradient }).dx };
  },
});

/** dx[rows[r]] = dscores[r] · weight, 0 in all other rows, and, where weight is trained, gradient += Σ dscores[r] · x[rows[r]]. */
export const rowScoresBackwardOp = defineOp({
  name: 'row_scores_backward',
  inputs: { x: 'A[T,D]', weight: 'f32[1,D]', rows: 'i32[R]', dscores: 'f32[R]', gradient: 'f32[1,D]?' },
  outputs: { dx: 'A[T,D]', gradientTotal: 'f32[1,D]?' },
  updates: { gradientTotal: 'gradient' },
  flops: ({ R = 0, D = 0 }) => 4 * R * D,
});

export function rowScores(x: Tensor, weight: Tensor, rows: Tensor): Tensor {
  return graphOf(x).apply(rowScoresOp, { x, weight, rows }).scores;
}
