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
  flops: () => 0,
});

function groups({ N, G }: Extents): Extents {
  if (Number(N) % Number(G) !== 0) throw new Error(`sigmoid_gate: ${G} gates for ${N} columns`);
  return {};
}

/** y = x · σ(gate), where each of a row's G gates is for N / G columns. */
export const sigmoidGateOp = defineOp({
  name: 'sigmoid_gate',
  inputs: { x: 'A[T,N]', gate: 'A[T,G]' },
  outputs: { y: 'A[T,N]' },
  derive: groups,
  inPlace: { y: ['x'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, N = 0, G = 0 }) => T * (N + 4 * G),
  backward: ({ graph, inputs: { x, gate }, gradients: { y: dy } }) => {
    if (!dy) return {};
    const { dx, dgate } = graph.apply(sigmoidGateBackwardOp, { dy, x, gate });
    return { x: dx, gate: dgate };
  },
});

/** dx = dy · σ(gate), dgate = Σ dy · x · σ(gate) · (1 - σ(gate)) over the columns of a gate. */
export const sigmoidGateBackwardOp = defineOp({
  name: 'sigmoid_gate_backward',
  inputs: { dy: 'A[T,N]', x: 'A[T,N]', gate: 'A[T,G]' },
  outputs: { dx: 'A[T,N]', dgate: 'A[T,G]' },
  derive: groups,
  inPlace: { dx: ['x', 'dy'], dgate: ['gate'] },
  tiles: true,
  flops: ({ T = 0, N = 0, G = 0 }) => T * (3 * N + 6 * G),
});

/** @param x [T, heads · 2 · headSize] */
export function splitGate(x: Tensor, headSize: number): { readonly q: Tensor; readonly gate: Tensor } {
  return graphOf(x).apply(splitGateOp, { x }, { headSize });
}

/** @param gate [T, G], where G divides the columns of x: one for each of them, or for several */
export function sigmoidGate(x: Tensor, gate: Tensor): Tensor {
  return graphOf(x).apply(sigmoidGateOp, { x, gate }).y;
}
