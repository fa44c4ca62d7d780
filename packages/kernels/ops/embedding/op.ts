import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import { partsBytes } from '../../src/workspace.ts';

/** y[t] = weight[tokens[t]]. */
export const embeddingOp = defineOp({
  name: 'embedding',
  inputs: { tokens: 'i32[T]', weight: 'f32|bf16[V,D]' },
  outputs: { y: 'A[T,D]' },
  gathers: ['weight'],
  flops: () => 0,
  backward: ({ graph, inputs: { tokens }, gradients: { y: dy }, needs, gradientOf }) => {
    if (dy && needs('weight')) graph.apply(embeddingBackwardOp, { tokens, dy, gradient: gradientOf('weight') });
    return {};
  },
});

/** gradient[tokens[t]] += dy[t], rows in order of t so that repeated tokens sum the same way every time. */
export const embeddingBackwardOp = defineOp({
  name: 'embedding_backward',
  inputs: { tokens: 'i32[T]', dy: 'A[T,D]', gradient: 'f32[V,D]' },
  outputs: { total: 'f32[V,D]' },
  updates: { total: 'gradient' },
  /** First and last occurrence of every token. */
  workspace: ({ V = 0 }, { device }) => (device === 'cuda' ? partsBytes(4 * V, 4 * V) : 0),
  flops: ({ T = 0, D = 0 }) => T * D,
});

export function embedding(tokens: Tensor, weight: Tensor): Tensor {
  return graphOf(tokens).apply(embeddingOp, { tokens, weight }).y;
}
