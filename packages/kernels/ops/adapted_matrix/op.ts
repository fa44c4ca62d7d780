import type { Graph } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** into = weight + scale · b · a: a matrix with its adapter, as one that ops can read which know nothing of adapters. */
export const adaptedMatrixOp = defineOp({
  name: 'adapted_matrix',
  inputs: { weight: 'f32|bf16[N,K]', a: 'f32[R,K]', b: 'f32[N,R]', into: 'f32[N,K]' },
  outputs: { adapted: 'f32[N,K]' },
  updates: { adapted: 'into' },
  attributes: ['scale'],
  flops: ({ N = 0, K = 0, R = 0 }) => 2 * N * K * R,
});

/** From the gradient of that matrix: aGradient += scale · bᵀ · gradient, bGradient += scale · gradient · aᵀ. */
export const adaptedMatrixBackwardOp = defineOp({
  name: 'adapted_matrix_backward',
  inputs: { gradient: 'f32[N,K]', a: 'f32[R,K]', b: 'f32[N,R]', aGradient: 'f32[R,K]', bGradient: 'f32[N,R]' },
  outputs: { aTotal: 'f32[R,K]', bTotal: 'f32[N,R]' },
  updates: { aTotal: 'aGradient', bTotal: 'bGradient' },
  attributes: ['scale'],
  flops: ({ N = 0, K = 0, R = 0 }) => 4 * N * K * R,
});

export interface AdaptedMatrix {
  /** [N, K], as it is held. */
  readonly weight: Tensor;
  /** [R, K] */
  readonly a: Tensor;
  /** [N, R] */
  readonly b: Tensor;
  readonly scale: number;
  /** f32[N, K]: gets the matrix with its adapter. */
  readonly into: Tensor;
}

export function adaptMatrix(graph: Graph, { scale, ...tensors }: AdaptedMatrix): void {
  graph.apply(adaptedMatrixOp, tensors, { scale });
}

/** Adds to the gradients of a and b what follows from that of `into`. */
export function adaptMatrixBackward(graph: Graph, { a, b, scale, into }: AdaptedMatrix): void {
  const { variables } = graph;
  const gradients = {
    gradient: variables.gradientOf(into),
    aGradient: variables.gradientOf(a),
    bGradient: variables.gradientOf(b),
  };
  graph.apply(adaptedMatrixBackwardOp, { a, b, ...gradients }, { scale });
}
