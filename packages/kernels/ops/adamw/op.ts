import { defineOp } from '../../src/op.ts';

/**
 * One step of AdamW (Loshchilov & Hutter 2019) in PyTorch's order: decay the parameter, then move it by the bias-corrected moments.
 * `clip` scales the gradient, `step` counts from 1.
 */
export const adamwOp = defineOp({
  name: 'adamw',
  inputs: {
    parameter: 'f32[*n]',
    gradient: 'f32[*n]',
    m: 'f32[*n]',
    v: 'f32[*n]',
    clip: 'f32[1]',
    learningRate: 'f32[1]',
    step: 'i32[1]',
  },
  outputs: { newParameter: 'f32[*n]', newM: 'f32[*n]', newV: 'f32[*n]' },
  attributes: ['beta1', 'beta2', 'epsilon', 'weightDecay'],
  updates: { newParameter: 'parameter', newM: 'm', newV: 'v' },
  flops: ({ n = 0 }) => 12 * n,
});
