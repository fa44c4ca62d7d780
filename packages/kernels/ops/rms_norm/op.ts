import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Dim, Tensor } from '../../src/tensor.ts';
import { columnSumBytes } from '../../src/workspace.ts';

function groups({ D, C }: Readonly<Record<string, Dim>>): { G: number } {
  const G = Number(D) / Number(C);
  if (!Number.isInteger(G)) throw new Error(`rms_norm: rows of ${D} do not divide into groups of ${C}`);
  return { G };
}

/**
 * y = x · rstd · (weight + offset), rstd = 1 / sqrt(mean(x²) + eps), over each group of C values of a token: C = D for a layer's norms,
 * the head size for the norms of queries and keys. Zhang & Sennrich 2019.
 */
export const rmsNormOp = defineOp({
  name: 'rms_norm',
  inputs: { x: 'A[T,D]', weight: 'f32[C]' },
  outputs: { y: 'A[T,D]', rstd: 'f32[T,G]' },
  attributes: ['eps', 'offset'],
  derive: groups,
  cheap: true,
  flops: ({ T = 0, D = 0 }) => 4 * T * D,
  backward: (context) => {
    const { graph, inputs, outputs, attributes, gradients, needs, gradientOf } = context;
    const { x, weight } = inputs;
    const { rstd } = outputs;
    const { y: dy } = gradients;
    if (!dy) return {};
    if (needs('weight')) graph.apply(rmsNormBackwardWeightOp, { dy, x, rstd, gradient: gradientOf('weight') });
    if (!needs('x')) return {};
    const { offset } = attributes;
    return { x: graph.apply(rmsNormBackwardInputOp, { dy, x, weight, rstd }, { offset }).dx };
  },
});

/** dx = rstd · (dy·w - x · rstd² · mean(dy·w·x)) (+ c), w = weight + offset. */
export const rmsNormBackwardInputOp = defineOp({
  name: 'rms_norm_backward_input',
  inputs: { dy: 'A[T,D]', x: 'A[T,D]', weight: 'f32[C]', rstd: 'f32[T,G]', c: 'A[T,D]?' },
  outputs: { dx: 'A[T,D]' },
  attributes: ['offset'],
  derive: groups,
  inPlace: { dx: ['c', 'dy'] },
  accumulator: { into: 'dx', from: 'c' },
  flops: ({ T = 0, D = 0 }) => 8 * T * D,
});

/** gradient += sum over tokens and groups of dy · x · rstd. */
export const rmsNormBackwardWeightOp = defineOp({
  name: 'rms_norm_backward_weight',
  inputs: { dy: 'A[T,D]', x: 'A[T,D]', rstd: 'f32[T,G]', gradient: 'f32[C]' },
  outputs: { total: 'f32[C]' },
  updates: { total: 'gradient' },
  workspace: ({ T = 0, G = 0, C = 0 }, { device }) => (device === 'cuda' ? columnSumBytes(T * G, C) : 0),
  flops: ({ T = 0, D = 0 }) => 3 * T * D,
});

/** @param offset added to the weights: 1 where a checkpoint holds how far they are from 1, as Gemma's do */
export function rmsNorm(x: Tensor, weight: Tensor, eps: number, offset = 0): Tensor {
  return graphOf(x).apply(rmsNormOp, { x, weight }, { eps, offset }).y;
}
