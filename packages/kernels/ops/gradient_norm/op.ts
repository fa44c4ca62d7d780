import { defineOp } from '../../src/op.ts';

/** sum += Σ x², in float64 over fixed blocks: the same bits with any number of threads. */
export const squareSumOp = defineOp({
  name: 'square_sum',
  inputs: { x: 'f32[*n]', sum: 'f64[1]' },
  outputs: { total: 'f64[1]' },
  updates: { total: 'sum' },
  workspace: ({ n = 0 }) => 8 * Math.ceil(n / 16384),
  flops: ({ n = 0 }) => 2 * n,
});

/** norm = √sum; scale = min(1, maxNorm / (norm + 1e-6)), or 1 where maxNorm is 0 (torch.nn.utils.clip_grad_norm_). */
export const clipScaleOp = defineOp({
  name: 'clip_scale',
  inputs: { sum: 'f64[1]' },
  outputs: { norm: 'f32[1]', scale: 'f32[1]' },
  attributes: ['maxNorm'],
  flops: () => 3,
});
