import {
  add,
  expertCombine,
  expertDispatch,
  expertRoute,
  expertRouteSigmoid,
  expertSwiglu,
  sigmoidGate,
  type Tensor,
} from '@anneal/kernels';
import { gatedMlp } from './gatedMlp.ts';
import type { ModelScope } from './modelScope.ts';

/**
 * Σ g_e(x) · down_e(activation(gate_e(x), up_e(x))) over the experts e that the router chooses for each token. Tokens are sorted by expert,
 * so that each matrix is one grouped product; none is dropped. Where all tokens share an MLP besides, what it gives is added, in some models times
 * σ(shared_expert_gate(x)). Neither the router nor that gate has an adapter.
 */
export function mixtureOfExperts(m: ModelScope, layer: number, x_TD: Tensor): Tensor {
  const { experts } = m.config;
  if (!experts) throw new Error(`layer ${layer} has no experts`);
  const name = (part: string) => `layers.${layer}.${part}`;
  const logits_TE = m.linear(x_TD, name('router'));
  const routes = experts.sigmoid
    ? expertRouteSigmoid(logits_TE, m.fixed(name('router_correction')), { ...experts, ...experts.sigmoid })
    : expertRoute(logits_TE, experts);
  const x_TCD = expertDispatch(x_TD, routes);
  const gateUp_TCE = m.expertLinear(x_TCD, name('experts_gate_up'), routes);
  const inner_TCF = expertSwiglu(gateUp_TCE, experts.intermediateSize, experts.activation);
  const chosen_TD = expertCombine(m.expertLinear(inner_TCF, name('experts_down'), routes), routes);
  if (!experts.shared) return chosen_TD;
  const inner_TF = gatedMlp(m, layer, x_TD, 'shared_');
  if (!experts.shared.gated) return m.linear(inner_TF, name('shared_down'), chosen_TD);
  const shared_TD = m.linear(inner_TF, name('shared_down'));
  return add(chosen_TD, sigmoidGate(shared_TD, m.linear(x_TD, name('shared_expert_gate'))));
}
