import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** E experts of N = R / E rows each, which read T · C rows of K = W / C elements and write as many of N: Y = C · N. */
export function expertExtents(known: Extents): Extents {
  const [G, R, K] = [Number(known['G']), Number(known['R']), Number(known['K'])];
  const N = R / (G - 1);
  const C = known['W'] === undefined ? Number(known['Y']) / N : Number(known['W']) / K;
  const all = { N, C, W: C * K, Y: C * N };
  const isUnlike = (['W', 'Y'] as const).some((name) => known[name] !== undefined && known[name] !== all[name]);
  if (isUnlike || !Number.isInteger(N) || !Number.isInteger(C))
    throw new Error(`expert_linear: a weight [${R},${K}] of ${G - 1} experts does not fit its rows`);
  return all;
}

const flops = ({ T = 0, C = 0, N = 0, K = 0 }) => 2 * T * C * N * K;

/**
 * y = alpha · x · weight_eᵀ (+ c) for the rows of each expert e, which lie from `offsets[e]` up to `offsets[e + 1]` (expert_route): one
 * product for each expert, over its own rows of the weight. Sums run in one order whatever the number of threads.
 */
export const expertLinearOp = defineOp({
  name: 'expert_linear',
  inputs: { x: 'A[T,W]', weight: 'f32|bf16[R,K]', offsets: 'i32[G]', c: 'A[T,Y]?' },
  outputs: { y: 'A[T,Y]' },
  attributes: ['alpha', 'bf16'],
  derive: expertExtents,
  inPlace: { y: ['c'] },
  flops,
  backward: ({ graph, inputs: { x, weight, offsets }, attributes, gradients: { y: dy }, needs, gradientOf }) => {
    if (!dy) return {};
    if (needs('weight'))
      graph.apply(expertLinearBackwardWeightOp, { dy, x, offsets, gradient: gradientOf('weight') }, attributes);
    return {
      ...(needs('c') && { c: dy }),
      ...(needs('x') && { x: graph.apply(expertLinearBackwardInputOp, { dy, weight, offsets }, attributes).dx }),
    };
  },
});

/** dx = alpha · dy · weight_e (+ c). */
export const expertLinearBackwardInputOp = defineOp({
  name: 'expert_linear_backward_input',
  inputs: { dy: 'A[T,Y]', weight: 'f32|bf16[R,K]', offsets: 'i32[G]', c: 'A[T,W]?' },
  outputs: { dx: 'A[T,W]' },
  attributes: ['alpha', 'bf16'],
  derive: expertExtents,
  inPlace: { dx: ['c'] },
  accumulator: { into: 'dx', from: 'c' },
  flops,
});

/** gradient_e += alpha · dyᵀ · x over the rows of each expert; that of an expert without rows stays as it is. */
export const expertLinearBackwardWeightOp = defineOp({
  name: 'expert_linear_backward_weight',
  inputs: { dy: 'A[T,Y]', x: 'A[T,W]', offsets: 'i32[G]', gradient: 'f32[R,K]' },
  outputs: { total: 'f32[R,K]' },
  attributes: ['alpha', 'bf16'],
  derive: expertExtents,
  updates: { total: 'gradient' },
  flops,
});

export interface ExpertLinearOptions {
  readonly alpha?: number;
  /** Rounds both operands of every product to bf16; sums are float32 in either case. */
  readonly bf16: boolean;
  /** Added to the result. */
  readonly plus?: Tensor | undefined;
}

/** @param weight [E · N, K], the experts' rows one behind the other @param offsets i32[E + 1] */
export function expertLinear(
  x: Tensor,
  weight: Tensor,
  offsets: Tensor,
  { alpha = 1, bf16, plus }: ExpertLinearOptions,
): Tensor {
  const inputs = { x, weight, offsets, c: plus };
  return graphOf(x).apply(expertLinearOp, inputs, { alpha, bf16: bf16 ? 1 : 0 }).y;
}
