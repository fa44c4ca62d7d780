import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/**
 * Of the first `count` tokens, for each of E experts: how many chose it, and behind all of these the sums of the softmax of the logits.
 * Added to those of the layers `before`.
 */
export const expertBalanceOp = defineOp({
  name: 'expert_balance',
  inputs: { logits: 'A[T,E]', experts: 'i32[T,C]', count: 'i32[1]', before: 'f64[B]?' },
  outputs: { sums: 'f64[B]' },
  derive: ({ E, B }) => {
    if (B !== undefined && B !== 2 * Number(E)) throw new Error(`expert_balance: ${B} sums of ${E} experts`);
    return { B: 2 * Number(E) };
  },
  // The largest logit of each token, and the sum of its exponentials.
  workspace: ({ T = 0 }) => 8 * T,
  flops: ({ T = 0, E = 0 }) => 10 * T * E,
  backward: ({ graph, inputs: { logits, count }, gradients: { sums: dsums } }) => {
    if (!dsums) return {};
    return { logits: graph.apply(expertBalanceBackwardOp, { dsums, logits, count }).dlogits, before: dsums };
  },
});

/** dlogits = p · (d - Σ p · d), p being the softmax and d the second half of dsums; 0 beyond the first `count` tokens. */
export const expertBalanceBackwardOp = defineOp({
  name: 'expert_balance_backward',
  inputs: { dsums: 'f32[B]', logits: 'A[T,E]', count: 'i32[1]' },
  outputs: { dlogits: 'A[T,E]' },
  flops: ({ T = 0, E = 0 }) => 12 * T * E,
});

/**
 * E · Σ tokens of e / n · probabilities of e / n, over the E experts and the n = layers · count that routers were asked (Fedus et al. 2021,
 * equations 4 to 6, over all layers together). total += count times that; dsums = scale · its gradient.
 */
export const balanceLossOp = defineOp({
  name: 'balance_loss',
  inputs: { sums: 'f64[B]', count: 'i32[1]', scale: 'f32[1]', loss: 'f64[1]' },
  outputs: { total: 'f64[1]', dsums: 'f32[B]' },
  attributes: ['layers'],
  updates: { total: 'loss' },
  flops: ({ B = 0 }) => 4 * B,
  backward: ({ outputs: { dsums } }) => ({ sums: dsums }),
});

/** What the router of a layer said of the tokens, and whom it chose. */
export interface RoutedTokens {
  readonly logits: Tensor;
  readonly experts: Tensor;
}

export interface BalanceInputs {
  /** i32[1]: tokens of the batch; those behind fill it up. */
  readonly count: Tensor;
  /** f32[1] */
  readonly scale: Tensor;
  /** f64[1] */
  readonly loss: Tensor;
}

/** @param layers in their order  @returns `loss` after the call */
export function balanceLoss(layers: readonly RoutedTokens[], { count, scale, loss }: BalanceInputs): Tensor {
  const graph = graphOf(count);
  let sums: Tensor | undefined;
  for (const { logits, experts } of layers) {
    sums = graph.apply(expertBalanceOp, { logits, experts, count, before: sums }).sums;
  }
  if (!sums) throw new Error('balance_loss: no layer has experts');
  return graph.apply(balanceLossOp, { sums, count, scale, loss }, { layers: layers.length }).total;
}
