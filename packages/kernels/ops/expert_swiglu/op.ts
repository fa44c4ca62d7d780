import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

function halves({ W, V }: Extents, { width }: { readonly width: number }): Extents {
  if (Number(W) % (2 * width) !== 0 || (V !== undefined && 2 * Number(V) !== Number(W)))
    throw new Error(`expert_swiglu: ${W} columns are no rows of gate and up, ${width} each`);
  return { V: Number(W) / 2 };
}

/** y = silu(gate) · up of the rows that experts read: x holds several rows [gate up] for each token, of `width` elements each. */
export const expertSwigluOp = defineOp({
  name: 'expert_swiglu',
  inputs: { x: 'A[T,W]' },
  outputs: { y: 'A[T,V]' },
  attributes: ['width'],
  derive: halves,
  cheap: true,
  flops: ({ T = 0, V = 0 }) => 6 * T * V,
  backward: ({ graph, inputs: { x }, attributes, gradients: { y: dy } }) => {
    return dy ? { x: graph.apply(expertSwigluBackwardOp, { dy, x }, attributes).dx } : {};
  },
});

/** dx holds rows [dgate dup]: see swiglu_backward. */
export const expertSwigluBackwardOp = defineOp({
  name: 'expert_swiglu_backward',
  inputs: { dy: 'A[T,V]', x: 'A[T,W]' },
  outputs: { dx: 'A[T,W]' },
  attributes: ['width'],
  derive: halves,
  inPlace: { dx: ['x'] },
  flops: ({ T = 0, V = 0 }) => 12 * T * V,
});

/** @param width the inner size of an expert */
export function expertSwiglu(x_TW: Tensor, width: number): Tensor {
  return graphOf(x_TW).apply(expertSwigluOp, { x: x_TW }, { width }).y;
}
