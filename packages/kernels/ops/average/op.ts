import { defineOp } from '../../src/op.ts';

/**
 * An exponential moving average follows its parameter: average += (1 - d) · (parameter - average), where d is min(decay, (1 + step) / (10 + step))
 * so that an average of few steps is not mostly what they began with. `step` counts from 1.
 */
export const averageOp = defineOp({
  name: 'average',
  inputs: { parameter: 'f32[*n]', average: 'f32[*n]', step: 'i32[1]' },
  outputs: { newAverage: 'f32[*n]' },
  attributes: ['decay'],
  updates: { newAverage: 'average' },
  flops: ({ n = 0 }) => 3 * n,
});
