import {
  add,
  expertCombine,
  expertDispatch,
  expertRoute,
  expertSwiglu,
  sigmoidGate,
  type Tensor,
} from '@anneal/kernels';
import { gatedMlp } from './gatedMlp.ts';
import type { ModelScope } from './modelScope.ts';

/**
 * Σ g_e(x) · down_e(activation(gate_e(x), up_e(x))) over the experts e that the router chooses for each token. Tokens are sorted by expert,
 * so that each matrix is one grouped product; none is dropped. Where all tokens share an MLP besides, σ(shared_gate(x)) times what it gives is
 * added. Neither the router nor that gate has an adapter.
 */
export function mixtureOfExperts(m: ModelScope, layer: number, x_TD: Tensor): Tensor {
  const { experts } = m.config;
  if (!experts) throw new Error(`layer ${layer} has no experts`);
  const name = (part: string) => `layers.${layer}.${part}`;
  const routes = expertRoute(m.linear(x_TD, name('router')), experts);
  const x_TCD = expertDispatch(x_TD, routes);
  const gateUp_TCE = m.expertLinear(x_TCD, name('experts_gate_up'), routes);
  const inner_TCF = expertSwiglu(gateUp_TCE, experts.intermediateSize, experts.activation);
  const chosen_TD = expertCombine(m.expertLinear(inner_TCF, name('experts_down'), routes), routes);
  if (!experts.shared) return chosen_TD;
  const shared_TD = m.linear(gatedMlp(m, layer, x_TD), name('down'));
  return add(chosen_TD, sigmoidGate(shared_TD, m.linear(x_TD, name('shared_gate'))));
}
