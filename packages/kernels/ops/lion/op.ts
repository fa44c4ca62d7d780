import { defineOp } from '../../src/op.ts';

/**
 * One step of Lion (Chen et al. 2023): decay the parameter, then move it by the sign of a mean of momentum and gradient; the momentum
 * follows at a rate of its own. `clip` scales the gradient.
 */
export const lionOp = defineOp({
  name: 'lion',
  inputs: { parameter: 'f32[*n]', gradient: 'f32[*n]', m: 'f32[*n]', clip: 'f32[1]', learningRate: 'f32[1]' },
  outputs: { newParameter: 'f32[*n]', newM: 'f32[*n]' },
  attributes: ['beta1', 'beta2', 'weightDecay'],
  updates: { newParameter: 'parameter', newM: 'm' },
  flops: ({ n = 0 }) => 11 * n,
});
