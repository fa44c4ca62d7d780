import { graphOf } from '../../src/graph.ts';
import { defineOp } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { ExpertRoutes } from '../expert_route/op.ts';

/**
 * As expert_route, by sigmoids: a token goes to the experts whose σ(logit) + bias is largest, of the groups of experts whose two largest
 * of these have the largest sums. Gates are the sigmoids alone, with `normalized` divided by the sum of the chosen ones, times `scale`.
 * DeepSeek-AI 2024 (DeepSeek-V3), which moves the bias by how much experts are used: it has no gradient.
 */
export const expertRouteSigmoidOp = defineOp({
  name: 'expert_route_sigmoid',
  inputs: { logits: 'A[T,E]', bias: 'f32[E]' },
  outputs: { gates: 'f32[T,C]', experts: 'i32[T,C]', places: 'i32[T,C]', offsets: 'i32[G]' },
  attributes: ['choices', 'groups', 'chosenGroups', 'normalized', 'scale'],
  derive: ({ E }, { choices, groups, chosenGroups }) => {
    const each = Number(E) / groups;
    if (!Number.isInteger(each) || each < 2 || chosenGroups > groups || choices > chosenGroups * each)
      throw new Error(
        `expert_route_sigmoid: ${choices} choices in ${chosenGroups} of ${groups} groups of ${E} experts`,
      );
    return { C: choices, G: Number(E) + 1 };
  },
  // On the CPU what each expert and each group is chosen by; on a GPU, for every 32 tokens, how many go to each expert.
  workspace: ({ T = 0, E = 0 }, { device, attributes: { groups } }) =>
    device === 'cuda' ? 4 * E * Math.ceil(T / 32) : 4 * T * (E + groups),
  flops: ({ T = 0, E = 0, C = 0 }) => T * E * (C + 12),
  backward: ({ graph, inputs: { logits }, outputs: { gates, experts }, attributes, gradients: { gates: dgates } }) => {
    if (!dgates) return {};
    const { normalized, scale } = attributes;
    const inputs = { dgates, logits, gates, experts };
    return { logits: graph.apply(expertRouteSigmoidBackwardOp, inputs, { normalized, scale }).dlogits };
  },
});

/** dlogits = gate · (1 - σ(logit)) · (dgate - mean) of the chosen experts, mean being Σ gate · dgate / scale with `normalized`, else 0. */
export const expertRouteSigmoidBackwardOp = defineOp({
  name: 'expert_route_sigmoid_backward',
  inputs: { dgates: 'f32[T,C]', logits: 'A[T,E]', gates: 'f32[T,C]', experts: 'i32[T,C]' },
  outputs: { dlogits: 'A[T,E]' },
  attributes: ['normalized', 'scale'],
  flops: ({ T = 0, E = 0, C = 0 }) => T * (E + 12 * C),
});

export interface SigmoidRouting {
  readonly choices: number;
  /** Experts are in so many groups, of which `chosenGroups` are taken. */
  readonly groups: number;
  readonly chosenGroups: number;
  readonly normalized: boolean;
  readonly scale: number;
}

/** @param logits_TE of the router  @param bias_E added to what experts are chosen by */
export function expertRouteSigmoid(logits_TE: Tensor, bias_E: Tensor, routing: SigmoidRouting): ExpertRoutes {
  const { choices, groups, chosenGroups, normalized, scale } = routing;
  const attributes = { choices, groups, chosenGroups, normalized: normalized ? 1 : 0, scale };
  return graphOf(logits_TE).apply(expertRouteSigmoidOp, { logits: logits_TE, bias: bias_E }, attributes);
}
