import { defineOp } from '../../src/op.ts';

/** x = 0. */
export const zeroOp = defineOp({
  name: 'zero',
  inputs: { x: 'f32|f64[*n]' },
  outputs: { y: 'f32[*n]' },
  updates: { y: 'x' },
  cost: ({ n = 0 }) => ({ flops: 0, bytes: 4 * n }),
});
