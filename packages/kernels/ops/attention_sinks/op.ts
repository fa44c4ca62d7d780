import { defineOp } from '../../src/op.ts';

/**
 * gradient[h] -= Σ_t e^(sinks[h] - lse[h, t]) · (out · dout)[t, h]: the sinks of `attention` have no value, so all that they do to a
 * query is to take a share of its weight from the keys. `out` and `lse` are what that op gave.
 */
export const attentionSinksBackwardOp = defineOp({
  name: 'attention_sinks_backward',
  inputs: { sinks: 'f32[H]', lse: 'f32[H,T]', out: 'A[T,Q]', dout: 'A[T,Q]', gradient: 'f32[H]' },
  outputs: { total: 'f32[H]' },
  updates: { total: 'gradient' },
  flops: ({ T = 0, Q = 0, H = 0 }) => 2 * T * Q + 3 * T * H,
});
