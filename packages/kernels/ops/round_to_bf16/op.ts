import { defineOp } from '../../src/op.ts';

/** copy = x, rounded to bfloat16. */
export const roundToBf16Op = defineOp({
  name: 'round_to_bf16',
  inputs: { x: 'f32[*n]', copy: 'bf16[*n]' },
  outputs: { rounded: 'bf16[*n]' },
  updates: { rounded: 'copy' },
  flops: () => 0,
});
