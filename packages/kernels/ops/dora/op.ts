import { type Graph, graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { columnSumBytes } from '../../src/workspace.ts';

/**
 * norm[n] = ‖weight[n] + scale · b[n] · a‖: of each output's row with its adapter. DoRA (Liu et al. 2024, section 4.3) takes it for a constant
 * while it differentiates.
 */
export const doraNormOp = defineOp({
  name: 'dora_norm',
  inputs: { weight: 'f32|bf16[N,K]', a: 'f32[R,K]', b: 'f32[N,R]' },
  outputs: { norm: 'f32[N]' },
  attributes: ['scale'],
  flops: ({ N = 0, K = 0, R = 0 }) => 2 * N * K * (R + 1),
});

/** y[t] = x[t] · magnitude / norm. */
export const doraScaleOp = defineOp({
  name: 'dora_scale',
  inputs: { x: 'A[T,N]', magnitude: 'f32[N]', norm: 'f32[N]' },
  outputs: { y: 'A[T,N]' },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => T * N,
  backward: ({ graph, inputs: { x, magnitude, norm }, gradients: { y: dy }, needs, gradientOf }) => {
    if (!dy) return {};
    if (needs('magnitude')) {
      graph.apply(doraScaleBackwardOp, { dy, x, norm, gradient: gradientOf('magnitude') });
    }
    return needs('x') ? { x: scaleBy(dy, magnitude, norm) } : {};
  },
});

/** gradient += sum of dy · x over tokens, / norm. */
export const doraScaleBackwardOp = defineOp({
  name: 'dora_scale_backward',
  inputs: { dy: 'A[T,N]', x: 'A[T,N]', norm: 'f32[N]', gradient: 'f32[N]' },
  outputs: { total: 'f32[N]' },
  updates: { total: 'gradient' },
  workspace: ({ T = 0, N = 0 }, { device }) => (device === 'cuda' ? columnSumBytes(T, N) : 0),
  tiles: true,
  flops: ({ T = 0, N = 0 }) => 2 * T * N,
});

function scaleBy(x: Tensor, magnitude: Tensor, norm: Tensor): Tensor {
  return graphOf(x).apply(doraScaleOp, { x, magnitude, norm }).y;
}

/** A linear with the factors of its adapter. */
export interface DoraLinear {
  /** As it is held: [N, K]. */
  readonly weight: Tensor;
  /** [R, K] */
  readonly a: Tensor;
  /** [N, R] */
  readonly b: Tensor;
  readonly scale: number;
}

/** The length [N] of each row of weight + scale · b · a. */
export function doraNorm(graph: Graph, { weight, a, b, scale }: DoraLinear): Tensor {
  return graph.apply(doraNormOp, { weight, a, b }, { scale }).norm;
}

/** What the linear gives with its adapter, x [T, N], as if each row were as long as its magnitude [N]. */
export function doraScale(x: Tensor, magnitude: Tensor, linear: DoraLinear): Tensor {
  return scaleBy(x, magnitude, doraNorm(graphOf(x), linear));
}

/** x [T, N] · weights [N]. @param ones [N] */
export function scaleColumns(x: Tensor, weights: Tensor, ones: Tensor): Tensor {
  return scaleBy(x, weights, ones);
}
