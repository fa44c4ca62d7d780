import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

function streams({ W, D }: Extents): Extents {
  if (Number(W) % Number(D) !== 0) throw new Error(`match_magnitude: ${W} columns are no streams of ${D}`);
  return {};
}

/** y_j = x_j · rms(like) / rms(x_j) of each token, of streams x_j of D columns that lie beside each other; rms² of x_j is at least eps. */
export const matchMagnitudeOp = defineOp({
  name: 'match_magnitude',
  inputs: { x: 'A[T,W]', like: 'A[T,D]' },
  outputs: { y: 'A[T,W]' },
  attributes: ['eps'],
  derive: streams,
  cheap: true,
  tiles: true,
  flops: ({ T = 0, W = 0, D = 0 }) => T * (3 * W + 2 * D),
  backward: ({ graph, inputs: { x, like }, attributes, gradients: { y: dy } }) => {
    if (!dy) return {};
    const { dx, dlike } = graph.apply(matchMagnitudeBackwardOp, { dy, x, like }, attributes);
    return { x: dx, like: dlike };
  },
});

/**
 * With r = rms(like), s_j = rms(x_j) and p_j = dy_j · x_j: dx_j = r / s_j · (dy_j - x_j · p_j / (D · s_j²)), whose second term is missing where
 * eps is s_j², and dlike = like · Σ_j p_j / s_j / (D · r), or 0 where r is.
 */
export const matchMagnitudeBackwardOp = defineOp({
  name: 'match_magnitude_backward',
  inputs: { dy: 'A[T,W]', x: 'A[T,W]', like: 'A[T,D]' },
  outputs: { dx: 'A[T,W]', dlike: 'A[T,D]' },
  attributes: ['eps'],
  derive: streams,
  tiles: true,
  flops: ({ T = 0, W = 0, D = 0 }) => T * (8 * W + 3 * D),
});

/** @param x [T, n · D] @param like [T, D] */
export function matchMagnitude(x: Tensor, like: Tensor, eps: number): Tensor {
  return graphOf(x).apply(matchMagnitudeOp, { x, like }, { eps }).y;
}
