import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/**
 * C tokens, each from a row of the logits, so that a GPU hands over numbers and not the vocabulary; several answers begin from one row.
 * `sampling` holds temperature, top_k, top_p and min_p: with temperature 0 it is the likeliest token, the lowest id of equal ones.
 * Otherwise filters apply in this order, tokens by their logit and of equal ones by id: the first top_k (0: all), the first whose
 * probabilities make up top_p, those of at least min_p times the likeliest's. Of what stays, in the order of ids, it is the first up to
 * which probabilities exceed `draws`, in [0, 1). -1 where the largest logit is not finite.
 */
export const chooseTokenOp = defineOp({
  name: 'choose_token',
  inputs: { logits: 'A[N,V]', rows: 'i32[C]', draws: 'f64[C]', sampling: 'f64[4]' },
  outputs: { ids: 'i32[C]' },
  flops: ({ C = 0, V = 0 }) => 20 * C * V,
});

export interface ChoiceInputs {
  /** i32[C] */
  readonly rows: Tensor;
  /** f64[C] */
  readonly draws: Tensor;
  /** f64[4] */
  readonly sampling: Tensor;
}

export function chooseToken(logits_NV: Tensor, how: ChoiceInputs): Tensor {
  return graphOf(logits_NV).apply(chooseTokenOp, { logits: logits_NV, ...how }).ids;
}
