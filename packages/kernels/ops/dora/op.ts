import { type Graph, graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { columnSumBytes } from '../../src/workspace.ts';

/**
 * norm[n] = ‖weight[n] + scale · b[n] · a_i‖: of each output's row with its adapter. DoRA (Liu et al. 2024, section 4.3) takes it for a
 * constant while it differentiates. Up to three linears of one input lie beside each other: a holds the a_i of each, one behind the
 * other; the first linear has `first` rows, the second `second`, the third what is left.
 */
export const doraNormOp = defineOp({
  name: 'dora_norm',
  inputs: { weight: 'f32|bf16[N,K]', a: 'f32[P,K]', b: 'f32[N,R]' },
  outputs: { norm: 'f32[N]' },
  attributes: ['scale', 'first', 'second'],
  derive: ({ N, P, R }, { first, second }) => {
    const linears = 1 + Number(first < Number(N)) + Number(first + second < Number(N));
    if (P !== Number(R) * linears)
      throw new Error(`dora_norm: a has ${P} rows where ${linears} linears read ${R} each`);
    return {};
  },
  flops: ({ N = 0, K = 0, R = 0 }) => 2 * N * K * (R + 1),
});

/** y[t] = x[t] · magnitude / norm + plus[t]. */
export const doraScaleOp = defineOp({
  name: 'dora_scale',
  inputs: { x: 'A[T,N]', magnitude: 'f32[N]', norm: 'f32[N]', plus: 'A[T,N]?' },
  outputs: { y: 'A[T,N]' },
  inPlace: { y: ['plus'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => 2 * T * N,
  backward: ({ graph, inputs: { x, magnitude, norm, plus }, gradients: { y: dy }, needs, gradientOf }) => {
    if (!dy) return {};
    const ofPlus = plus ? { plus: dy } : {};
    if (!needs('magnitude')) return { ...ofPlus, ...(needs('x') && { x: scaleBy(dy, magnitude, norm) }) };
    const gradient = gradientOf('magnitude');
    return { ...ofPlus, x: graph.apply(doraScaleBackwardOp, { dy, x, magnitude, norm, gradient }).dx };
  },
});

/** dx = dy · magnitude / norm, and gradient += sum of dy · x over tokens, / norm. */
export const doraScaleBackwardOp = defineOp({
  name: 'dora_scale_backward',
  inputs: { dy: 'A[T,N]', x: 'A[T,N]', magnitude: 'f32[N]', norm: 'f32[N]', gradient: 'f32[N]' },
  outputs: { dx: 'A[T,N]', total: 'f32[N]' },
  updates: { total: 'gradient' },
  inPlace: { dx: ['dy', 'x'] },
  workspace: ({ T = 0, N = 0 }, { device }) => (device === 'cuda' ? columnSumBytes(T, N) : 0),
  tiles: true,
  flops: ({ T = 0, N = 0 }) => 3 * T * N,
});

function scaleBy(x: Tensor, magnitude: Tensor, norm: Tensor, plus?: Tensor): Tensor {
  return graphOf(x).apply(doraScaleOp, { x, magnitude, norm, plus }).y;
}

/** One to three linears of one input, beside each other, with the factors of their adapters. */
export interface DoraLinears {
  /** As it is held: [N, K]. */
  readonly weight: Tensor;
  /** Of each linear, one behind the other: [R · linears, K]. */
  readonly a: Tensor;
  /** [N, R] */
  readonly b: Tensor;
  readonly scale: number;
  /** Of each linear. */
  readonly rows: readonly number[];
}

/** The length [N] of each row of weight + scale · b · a. */
export function doraNorm(graph: Graph, { weight, a, b, scale, rows: [first = 0, second = 0] }: DoraLinears): Tensor {
  return graph.apply(doraNormOp, { weight, a, b }, { scale, first, second }).norm;
}

/** What the linears give with their adapters, x [T, N], as if each row were as long as its magnitude [N], plus `plus` [T, N]. */
export function doraScale(x: Tensor, magnitude: Tensor, linears: DoraLinears, plus?: Tensor): Tensor {
  return scaleBy(x, magnitude, doraNorm(graphOf(x), linears), plus);
}

/** x [T, N] · weights [N]. @param ones [N] */
export function scaleColumns(x: Tensor, weights: Tensor, ones: Tensor): Tensor {
  return scaleBy(x, weights, ones);
}
