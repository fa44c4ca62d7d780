import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/**
 * A token for each row of logits, so that a GPU hands over one number and not the vocabulary. `sampling` holds temperature, top_k, top_p and
 * min_p: with temperature 0 it is the likeliest token, the lowest id of equal ones. Otherwise filters apply in this order, tokens by their
 * logit and of equal ones by id: the first top_k (0: all), the first whose probabilities make up top_p, those of at least min_p times the
 * likeliest's. Of what stays, in the order of ids, it is the first up to which probabilities exceed `draws`, in [0, 1).
 * -1 where the largest logit is not finite.
 */
export const chooseTokenOp = defineOp({
  name: 'choose_token',
  inputs: { logits: 'A[N,V]', draws: 'f64[N]', sampling: 'f64[4]' },
  outputs: { ids: 'i32[N]' },
  flops: ({ N = 0, V = 0 }) => 20 * N * V,
});

export function chooseToken(logits_NV: Tensor, how: { readonly draws: Tensor; readonly sampling: Tensor }): Tensor {
  return graphOf(logits_NV).apply(chooseTokenOp, { logits: logits_NV, ...how }).ids;
}
