import { type CarriedState, placesOfStates } from '../../src/carriedStates.ts';
import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { columnSumBytes } from '../../src/workspace.ts';

/** Longest kernel, in tokens: kMaxTaps in short_conv.cpu.cpp. */
export const longestShortConv = 16;

function checkColumns({ M, D, K, P }: Extents, { gated }: { readonly gated: number }): Extents {
  const columns = Number(D) * (gated ? 3 : 1);
  if (Number(M) !== columns) throw new Error(`short_conv: ${M} columns where ${D} channels need ${columns}`);
  if (Number(K) < 2 || Number(K) > longestShortConv) throw new Error(`short_conv: a kernel of ${K} tokens`);
  if (P !== undefined && Number(P) % (Number(K) - 1) !== 0)
    throw new Error(`short_conv: states of ${P} rows, not of ${K} - 1 each`);
  return {};
}

/**
 * A causal convolution over the last K tokens of a document, each channel by itself: z[t] = bias + Σ_k weight[k] · u[t - K + 1 + k], where tokens
 * before the document count as 0. With `gated` x is [b c v], u = b · v and y = c · z, as in LFM2; without, u = x and y = silu(z).
 */
export const shortConvOp = defineOp({
  name: 'short_conv',
  inputs: { x: 'A[T,M]', weight: 'f32[D,1,K]', cuSeqlens: 'i32[S]', bias: 'f32[D]?' },
  outputs: { y: 'A[T,D]' },
  attributes: ['gated'],
  derive: checkColumns,
  cheap: true,
  flops: ({ T = 0, D = 0, K = 0 }) => (2 * K + 2) * T * D,
  backward: ({ graph, inputs, attributes, gradients: { y: dy }, needs, gradientOf }) => {
    if (!dy) return {};
    const given = { dy, ...inputs };
    if (needs('weight'))
      graph.apply(shortConvBackwardWeightOp, { ...given, gradient: gradientOf('weight') }, attributes);
    if (needs('bias')) graph.apply(shortConvBackwardBiasOp, { ...given, gradient: gradientOf('bias') }, attributes);
    return needs('x') ? { x: graph.apply(shortConvBackwardInputOp, given, attributes).dx } : {};
  },
});

const backwardInputs = {
  dy: 'A[T,D]',
  x: 'A[T,M]',
  weight: 'f32[D,1,K]',
  cuSeqlens: 'i32[S]',
  bias: 'f32[D]?',
} as const;

/** dx, which is [db dc dv] where it is gated. */
export const shortConvBackwardInputOp = defineOp({
  name: 'short_conv_backward_input',
  inputs: backwardInputs,
  outputs: { dx: 'A[T,M]' },
  attributes: ['gated'],
  derive: checkColumns,
  flops: ({ T = 0, D = 0, K = 0 }) => (4 * K + 8) * T * D,
});

/** gradient[k] += Σ_t dz[t] · u[t - K + 1 + k]. */
export const shortConvBackwardWeightOp = defineOp({
  name: 'short_conv_backward_weight',
  inputs: { ...backwardInputs, gradient: 'f32[D,1,K]' },
  outputs: { total: 'f32[D,1,K]' },
  updates: { total: 'gradient' },
  workspace: ({ T = 0, D = 0, K = 0 }, { device }) => (device === 'cuda' ? columnSumBytes(T, D * K) : 0),
  attributes: ['gated'],
  derive: checkColumns,
  flops: ({ T = 0, D = 0, K = 0 }) => (4 * K + 4) * T * D,
});

/** gradient += Σ_t dz[t]. */
export const shortConvBackwardBiasOp = defineOp({
  name: 'short_conv_backward_bias',
  inputs: { ...backwardInputs, gradient: 'f32[D]' },
  outputs: { total: 'f32[D]' },
  updates: { total: 'gradient' },
  workspace: ({ T = 0, D = 0 }, { device }) => (device === 'cuda' ? columnSumBytes(T, D) : 0),
  attributes: ['gated'],
  derive: checkColumns,
  flops: ({ T = 0, D = 0, K = 0 }) => (2 * K + 5) * T * D,
});

/**
 * The same for the newest tokens of sequences. Each slot of `state` holds u of the K - 1 tokens before them and then of the last ones; `slots` as
 * src/carriedStates.ts says.
 */
export const shortConvCachedOp = defineOp({
  name: 'short_conv_cached',
  inputs: { x: 'A[T,M]', weight: 'f32[D,1,K]', state: 'f32[P,D]', ...placesOfStates, bias: 'f32[D]?' },
  outputs: { y: 'A[T,D]', next: 'f32[P,D]' },
  updates: { next: 'state' },
  attributes: ['gated'],
  derive: checkColumns,
  flops: ({ T = 0, D = 0, K = 0 }) => (2 * K + 2) * T * D,
});

export interface ShortConvWeights {
  /** [D, 1, K] */
  readonly weight: Tensor;
  /** [D] */
  readonly bias?: Tensor;
}

/** Of packed documents. @param x [T, 3D] where it is gated, else [T, D] */
export function shortConv(x: Tensor, weights: ShortConvWeights, cuSeqlens: Tensor, gated: boolean): Tensor {
  return graphOf(x).apply(shortConvOp, { x, ...weights, cuSeqlens }, { gated: gated ? 1 : 0 }).y;
}

/** Of the newest tokens of sequences; `state`, [K - 1, D] of each slot, goes on with them. */
export function shortConvCached(x: Tensor, weights: ShortConvWeights, carried: CarriedState, gated: boolean): Tensor {
  return graphOf(x).apply(shortConvCachedOp, { x, ...weights, ...carried }, { gated: gated ? 1 : 0 }).y;
}
