import { expertCombine, expertDispatch, expertRoute, expertSwiglu, type Tensor } from '@anneal/kernels';
import type { ModelScope } from './modelScope.ts';

/**
 * Σ g_e(x) · down_e(activation(gate_e(x), up_e(x))) over the experts e that the router chooses for each token. Tokens are sorted by expert,
 * so that each matrix is one grouped product; none is dropped. The router has no adapter.
 */
export function mixtureOfExperts(m: ModelScope, layer: number, x_TD: Tensor): Tensor {
  const { experts } = m.config;
  if (!experts) throw new Error(`layer ${layer} has no experts`);
  const name = (part: string) => `layers.${layer}.${part}`;
  const routes = expertRoute(m.linear(x_TD, name('router')), experts);
  const x_TCD = expertDispatch(x_TD, routes);
  const gateUp_TCE = m.expertLinear(x_TCD, name('experts_gate_up'), routes);
  const inner_TCF = expertSwiglu(gateUp_TCE, experts.intermediateSize, experts.activation);
  return expertCombine(m.expertLinear(inner_TCF, name('experts_down'), routes), routes);
}
