import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** y = silu(gate) · up, silu(z) = z / (1 + e^-z). Shazeer 2020. */
export const swigluOp = defineOp({
  name: 'swiglu',
  inputs: { gate: 'A[T,N]', up: 'A[T,N]' },
  outputs: { y: 'A[T,N]' },
  inPlace: { y: ['gate', 'up'] },
  cheap: true,
  tiles: true,
  cost: ({ T = 0, N = 0 }) => ({ flops: 6 * T * N, bytes: 12 * T * N }),
  backward: ({ graph, inputs: { gate, up }, gradients: { y: dy } }) => {
    if (!dy) return {};
    const { dgate, dup } = graph.apply(swigluBackwardOp, { dy, gate, up });
    return { gate: dgate, up: dup };
  },
});

/** dup = dy · silu(gate), dgate = dy · up · σ(gate) · (1 + gate · (1 - σ(gate))). */
export const swigluBackwardOp = defineOp({
  name: 'swiglu_backward',
  inputs: { dy: 'A[T,N]', gate: 'A[T,N]', up: 'A[T,N]' },
  outputs: { dgate: 'A[T,N]', dup: 'A[T,N]' },
  inPlace: { dgate: ['gate', 'dy'], dup: ['up', 'dy'] },
  tiles: true,
  cost: ({ T = 0, N = 0 }) => ({ flops: 12 * T * N, bytes: 20 * T * N }),
});

export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return graphOf(gate).apply(swigluOp, { gate, up }).y;
}

function halves({ M, N }: Extents): Extents {
  if (Number(M) % 2 !== 0 || (N !== undefined && Number(N) !== Number(M) / 2))
    throw new Error(`swiglu_merged: ${M} columns are not twice ${N ?? 'a whole number'}`);
  return { N: Number(M) / 2 };
}

/** swiglu of gate and up as one product gives them: x is [gate up]. */
export const swigluMergedOp = defineOp({
  name: 'swiglu_merged',
  inputs: { x: 'A[T,M]' },
  outputs: { y: 'A[T,N]' },
  derive: halves,
  cheap: true,
  tiles: true,
  cost: ({ T = 0, N = 0 }) => ({ flops: 6 * T * N, bytes: 12 * T * N }),
  backward: ({ graph, inputs: { x }, gradients: { y: dy } }) =>
    dy ? { x: graph.apply(swigluMergedBackwardOp, { dy, x }).dx } : {},
});

/** dx is [dgate dup]. */
export const swigluMergedBackwardOp = defineOp({
  name: 'swiglu_merged_backward',
  inputs: { dy: 'A[T,N]', x: 'A[T,M]' },
  outputs: { dx: 'A[T,M]' },
  derive: halves,
  inPlace: { dx: ['x'] },
  tiles: true,
  cost: ({ T = 0, N = 0 }) => ({ flops: 12 * T * N, bytes: 20 * T * N }),
});

/** x: [T, 2N], gate before up. */
export function swigluMerged(x: Tensor): Tensor {
  return graphOf(x).apply(swigluMergedOp, { x }).y;
}
