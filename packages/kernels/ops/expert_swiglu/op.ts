import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

function halves({ W, V }: Extents, { width }: { readonly width: number }): Extents {
  if (Number(W) % (2 * width) !== 0 || (V !== undefined && 2 * Number(V) !== Number(W)))
    throw new Error(`expert_swiglu: ${W} columns are no rows of gate and up, ${width} each`);
  return { V: Number(W) / 2 };
}

/** What gpt-oss changes of silu(gate) · up. */
export interface ExpertActivation {
  /** Of the gate's sigmoid: g · σ(alpha · g). */
  readonly alpha: number;
  /** The gate is at most this, up at most this far from 0; 0 for no limit. */
  readonly limit: number;
  /** Added to up, after its limit. */
  readonly upOffset: number;
}

export const plainSwiglu: ExpertActivation = { alpha: 1, limit: 0, upOffset: 0 };

const activationAttributes = ['width', 'alpha', 'limit', 'upOffset'] as const;

/**
 * y = g · σ(alpha · g) · (u + upOffset), g = min(gate, limit), u = max(-limit, min(up, limit)), of the rows that experts read: x holds
 * several rows [gate up] for each token, of `width` elements each.
 */
export const expertSwigluOp = defineOp({
  name: 'expert_swiglu',
  inputs: { x: 'A[T,W]' },
  outputs: { y: 'A[T,V]' },
  attributes: activationAttributes,
  derive: halves,
  cheap: true,
  flops: ({ T = 0, V = 0 }) => 10 * T * V,
  backward: ({ graph, inputs: { x }, attributes, gradients: { y: dy } }) => {
    return dy ? { x: graph.apply(expertSwigluBackwardOp, { dy, x }, attributes).dx } : {};
  },
});

/** dx holds rows [dgate dup]: see swiglu_backward. Beyond the limit they are 0. */
export const expertSwigluBackwardOp = defineOp({
  name: 'expert_swiglu_backward',
  inputs: { dy: 'A[T,V]', x: 'A[T,W]' },
  outputs: { dx: 'A[T,W]' },
  attributes: activationAttributes,
  derive: halves,
  inPlace: { dx: ['x'] },
  flops: ({ T = 0, V = 0 }) => 18 * T * V,
});

/** @param width the inner size of an expert */
export function expertSwiglu(x_TW: Tensor, width: number, activation: ExpertActivation = plainSwiglu): Tensor {
  return graphOf(x_TW).apply(expertSwigluOp, { x: x_TW }, { width, ...activation }).y;
}
