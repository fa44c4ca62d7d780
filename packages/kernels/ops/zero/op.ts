import { defineOp } from '../../src/op.ts';

/** x = 0. */
export const zeroOp = defineOp({
  name: 'zero',
  inputs: { x: 'f32|f64[*n]' },
  outputs: { y: 'f32[*n]' },
  updates: { y: 'x' },
  flops: () => 0,
});
