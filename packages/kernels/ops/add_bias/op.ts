import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { columnSumBytes } from '../../src/workspace.ts';

/** y[t] = x[t] + factor · bias. */
export const addBiasOp: Op<'x' | 'bias', 'y', 'factor'> = defineOp({
  name: 'add_bias',
  inputs: { x: 'A[T,N]', bias: 'f32[N]' },
  outputs: { y: 'A[T,N]' },
  attributes: ['factor'],
  inPlace: { y: ['x'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => T * N,
  backward: ({ graph, attributes, gradients: { y: dy }, needs, gradientOf }) => {
    if (dy && needs('bias')) graph.apply(addBiasBackwardOp, { dy, gradient: gradientOf('bias') }, attributes);
    return dy ? { x: dy } : {};
  },
});

/** gradient += factor · sum of dy over tokens. */
export const addBiasBackwardOp = defineOp({
  name: 'add_bias_backward',
  inputs: { dy: 'A[T,N]', gradient: 'f32[N]' },
  outputs: { total: 'f32[N]' },
  attributes: ['factor'],
  updates: { total: 'gradient' },
  workspace: ({ T = 0, N = 0 }, { device }) => (device === 'cuda' ? columnSumBytes(T, N) : 0),
  tiles: true,
  flops: ({ T = 0, N = 0 }) => T * N,
});

export function addBias(x: Tensor, bias: Tensor, factor = 1): Tensor {
  return graphOf(x).apply(addBiasOp, { x, bias }, { factor }).y;
}
