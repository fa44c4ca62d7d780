import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** y = silu(gate) · up, silu(z) = z / (1 + e^-z). Shazeer 2020. */
export const swigluOp = defineOp({
  name: 'swiglu',
  inputs: { gate: 'A[T,N]', up: 'A[T,N]' },
  outputs: { y: 'A[T,N]' },
  inPlace: { y: ['gate', 'up'] },
  cheap: true,
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
  cost: ({ T = 0, N = 0 }) => ({ flops: 12 * T * N, bytes: 20 * T * N }),
});

export function swiglu(gate: Tensor, up: Tensor): Tensor {
  return graphOf(gate).apply(swigluOp, { gate, up }).y;
}
