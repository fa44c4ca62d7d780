import { defineOp } from '../../src/op.ts';

/** Two variables change their values. Twice is nothing, to the bit. */
export const exchangeOp = defineOp({
  name: 'exchange',
  inputs: { a: 'f32[*n]', b: 'f32[*n]' },
  outputs: { newA: 'f32[*n]', newB: 'f32[*n]' },
  updates: { newA: 'a', newB: 'b' },
  flops: () => 0,
});
