import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { columnSumBytes } from '../../src/workspace.ts';

/** y[t] = x[t] + bias. */
export const addBiasOp = defineOp({
  name: 'add_bias',
  inputs: { x: 'A[T,N]', bias: 'f32[N]' },
  outputs: { y: 'A[T,N]' },
  inPlace: { y: ['x'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0 }) => T * N,
  backward: ({ graph, gradients: { y: dy }, needs, gradientOf }) => {
    if (dy && needs('bias')) graph.apply(addBiasBackwardOp, { dy, gradient: gradientOf('bias') });
    return dy ? { x: dy } : {};
  },
});

/** gradient += sum of dy over tokens. */
export const addBiasBackwardOp = defineOp({
  name: 'add_bias_backward',
  inputs: { dy: 'A[T,N]', gradient: 'f32[N]' },
  outputs: { total: 'f32[N]' },
  updates: { total: 'gradient' },
  workspace: ({ T = 0, N = 0 }, { device }) => (device === 'cuda' ? columnSumBytes(T, N) : 0),
  tiles: true,
  flops: ({ T = 0, N = 0 }) => T * N,
});

export function addBias(x: Tensor, bias: Tensor): Tensor {
  return graphOf(x).apply(addBiasOp, { x, bias }).y;
}
