import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/**
 * y = x + noise, uniform within ±alpha / √(tokens of the document · N): NEFTune (Jain et al. 2023). The noise follows from (seed, index)
 * alone, as dropout's choices do.
 */
export const embeddingNoiseOp: Op<'x' | 'seed' | 'cuSeqlens', 'y', 'alpha'> = defineOp({
  name: 'embedding_noise',
  inputs: { x: 'A[T,N]', seed: 'i32[2]', cuSeqlens: 'i32[S]' },
  outputs: { y: 'A[T,N]' },
  attributes: ['alpha'],
  inPlace: { y: ['x'] },
  cheap: true,
  flops: ({ T = 0, N = 0 }) => 20 * T * N,
  backward: ({ gradients: { y: dy } }) => (dy ? { x: dy } : {}),
});

export interface EmbeddingNoise {
  readonly alpha: number;
  /** i32[2], another one for every micro-batch. */
  readonly seed: Tensor;
}

/** @param cuSeqlens where documents begin in the rows of x, and the end */
export function embeddingNoise(x: Tensor, cuSeqlens: Tensor, { alpha, seed }: EmbeddingNoise): Tensor {
  return graphOf(x).apply(embeddingNoiseOp, { x, seed, cuSeqlens }, { alpha }).y;
}
