import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

function halves({ W, N }: Extents, { headSize }: { readonly headSize: number }): Extents {
  if (Number(W) % (2 * headSize) !== 0 || (N !== undefined && 2 * Number(N) !== Number(W)))
    throw new Error(`gated heads: ${W} columns are no heads of twice ${headSize}`);
  return { N: Number(W) / 2 };
}

/** Queries and what gates the output of attention, where x holds them beside each other head by head: [q gate q gate …]. */
export const splitGateOp = defineOp({
  name: 'split_gate',
  inputs: { x: 'A[T,W]' },
  outputs: { q: 'A[T,N]', gate: 'A[T,N]' },
  attributes: ['headSize'],
  derive: halves,
  cheap: true,
  tiles: true,
  cpuOnly: true,
  flops: () => 0,
  backward: ({ graph, attributes, gradients: { q, gate } }) => {
    if (!q || !gate) throw new Error('split_gate: an output is not used');
    return { x: graph.apply(joinGateOp, { q, gate }, attributes).x };
  },
});

/** The inverse. */
export const joinGateOp = defineOp({
  name: 'join_gate',
  inputs: { q: 'A[T,N]', gate: 'A[T,N]' },
  outputs: { x: 'A[T,W]' },
  attributes: ['headSize'],
  derive: ({ N }) => ({ W: 2 * Number(N) }),
  tiles: true,
  cpuOnly: true,
  flops: () => 0,
});

/** y = x · σ(gate). */
export const sigmoidGateOp = defineOp({
  name: 'sigmoid_gate',
  inputs: { x: 'A[T,N]', gate: 'A[T,N]' },
  outputs: { y: 'A[T,N]' },
  inPlace: { y: ['x', 'gate'] },
  cheap: true,
  tiles: true,
  cpuOnly: true,
  flops: ({ T = 0, N = 0 }) => 5 * T * N,
  backward: ({ graph, inputs: { x, gate }, gradients: { y: dy } }) => {
    if (!dy) return {};
    const { dx, dgate } = graph.apply(sigmoidGateBackwardOp, { dy, x, gate });
    return { x: dx, gate: dgate };
  },
});

/** dx = dy · σ(gate), dgate = dy · x · σ(gate) · (1 - σ(gate)). */
export const sigmoidGateBackwardOp = defineOp({
  name: 'sigmoid_gate_backward',
  inputs: { dy: 'A[T,N]', x: 'A[T,N]', gate: 'A[T,N]' },
  outputs: { dx: 'A[T,N]', dgate: 'A[T,N]' },
  inPlace: { dx: ['x', 'dy'], dgate: ['gate', 'dy'] },
  tiles: true,
  cpuOnly: true,
  flops: ({ T = 0, N = 0 }) => 8 * T * N,
});

/** @param x [T, heads · 2 · headSize] */
export function splitGate(x: Tensor, headSize: number): { readonly q: Tensor; readonly gate: Tensor } {
  return graphOf(x).apply(splitGateOp, { x }, { headSize });
}

export function sigmoidGate(x: Tensor, gate: Tensor): Tensor {
  return graphOf(x).apply(sigmoidGateOp, { x, gate }).y;
}
