import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/**
 * Sends each token to the C experts with the largest logits, the largest first and of equal ones the lower number. Gates are the softmax
 * of all logits at the chosen ones, or with `normalized` the softmax of the chosen ones alone.
 *
 * The T · C assignments are sorted by expert, then by token: `places[t, c]` is the place of a token's c-th choice, and those of expert e
 * lie from `offsets[e]` up to `offsets[e + 1]`. No token is dropped, however many choose one expert.
 */
export const expertRouteOp = defineOp({
  name: 'expert_route',
  inputs: { logits: 'A[T,E]' },
  outputs: { gates: 'f32[T,C]', experts: 'i32[T,C]', places: 'i32[T,C]', offsets: 'i32[G]' },
  attributes: ['choices', 'normalized'],
  derive: ({ E }, { choices }) => {
    if (choices > Number(E)) throw new Error(`expert_route: ${choices} choices of ${E} experts`);
    return { C: choices, G: Number(E) + 1 };
  },
  // On a GPU, for every 32 tokens, how many go to each expert.
  workspace: ({ T = 0, E = 0 }, { device }) => (device === 'cuda' ? 4 * E * Math.ceil(T / 32) : 0),
  flops: ({ T = 0, E = 0, C = 0 }) => T * E * (C + 4),
  backward: ({ graph, inputs: { logits }, outputs: { gates, experts }, attributes, gradients: { gates: dgates } }) => {
    if (!dgates) return {};
    const { normalized } = attributes;
    return { logits: graph.apply(expertRouteBackwardOp, { dgates, logits, gates, experts }, { normalized }).dlogits };
  },
});

/** Of p = softmax: dlogits = p · (dp - Σ p · dp), over all experts, or with `normalized` over the chosen ones, where p is the gate. */
export const expertRouteBackwardOp = defineOp({
  name: 'expert_route_backward',
  inputs: { dgates: 'f32[T,C]', logits: 'A[T,E]', gates: 'f32[T,C]', experts: 'i32[T,C]' },
  outputs: { dlogits: 'A[T,E]' },
  attributes: ['normalized'],
  flops: ({ T = 0, E = 0, C = 0 }) => T * (4 * E + 4 * C),
});

/** Where the tokens of a call go. */
export interface ExpertRoutes {
  /** f32[T, C]: what an expert's output is multiplied by. */
  readonly gates: Tensor;
  /** i32[T, C]: whose output that is. */
  readonly experts: Tensor;
  /** i32[T, C] */
  readonly places: Tensor;
  /** i32[E + 1] */
  readonly offsets: Tensor;
}

/** @param logits_TE of the router */
export function expertRoute(
  logits_TE: Tensor,
  { choices, normalized }: { choices: number; normalized: boolean },
): ExpertRoutes {
  return graphOf(logits_TE).apply(expertRouteOp, { logits: logits_TE }, { choices, normalized: normalized ? 1 : 0 });
}
