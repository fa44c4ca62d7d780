import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/**
 * y = max(0, x - (mean + deviations · std)) of each row, with the row's own mean and standard deviation: if its values were normally distributed,
 * a known share of them is above. Statistical top-k, You et al. 2025.
 */
export const gaussianTopOp = defineOp({
  name: 'gaussian_top',
  inputs: { x: 'A[T,F]' },
  outputs: { y: 'A[T,F]' },
  attributes: ['deviations'],
  inPlace: { y: ['x'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, F = 0 }) => 6 * T * F,
  backward: ({ graph, inputs: { x }, attributes, gradients: { y: dy } }) =>
    dy ? { x: graph.apply(gaussianTopBackwardOp, { dy, x }, attributes).dx } : {},
});

/** With g = dy where x is above, else 0: dx = g - Σ g · (1 + deviations · (x - mean) / std) / F. Where std is 0, so is that quotient. */
export const gaussianTopBackwardOp = defineOp({
  name: 'gaussian_top_backward',
  inputs: { dy: 'A[T,F]', x: 'A[T,F]' },
  outputs: { dx: 'A[T,F]' },
  attributes: ['deviations'],
  inPlace: { dx: ['dy'] },
  tiles: true,
  flops: ({ T = 0, F = 0 }) => 10 * T * F,
});

export function gaussianTop(x: Tensor, deviations: number): Tensor {
  return graphOf(x).apply(gaussianTopOp, { x }, { deviations }).y;
}
