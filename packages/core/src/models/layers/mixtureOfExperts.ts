import {
  add,
  type ExpertRoutes,
  expertCombine,
  expertDispatch,
  expertRoute,
  expertRouteSigmoid,
  expertScaleGates,
  expertSwiglu,
  scale,
  sigmoidGate,
  splitGate,
  swiglu,
  type Tensor,
} from '@anneal/kernels';
import type { ExpertsConfig } from '../config.ts';
import { gatedMlp } from './gatedMlp.ts';
import type { ModelScope } from './modelScope.ts';

/**
 * Σ g_e(x) · down_e(activation(gate_e(x), up_e(x))) over the experts e that the router chooses for each token. Tokens are sorted by expert,
 * so that each matrix is one grouped product; none is dropped. Where all tokens share an MLP besides, what it gives is added, in some models times
 * σ(shared_expert_gate(x)). Neither the router nor that gate has an adapter. With `plus` that is added.
 */
export function mixtureOfExperts(m: ModelScope, layer: number, x_TD: Tensor, plus_TD?: Tensor): Tensor {
  const experts = expertsOf(m, layer);
  const name = (part: string) => `layers.${layer}.${part}`;
  const logits_TE = m.linear(x_TD, name('router'));
  const routes = experts.sigmoid
    ? expertRouteSigmoid(logits_TE, m.fixed(name('router_correction')), { ...experts, ...experts.sigmoid })
    : expertRoute(logits_TE, experts);
  m.tellRouted(logits_TE, routes);
  const chosen_TD = chosenExperts(m, layer, x_TD, routes, plus_TD);
  if (!experts.shared) return chosen_TD;
  const shared = experts.shared.isMlp ? '' : 'shared_';
  const inner_TF = gatedMlp(m, layer, x_TD, shared);
  if (!experts.shared.gated) return m.linear(inner_TF, name(`${shared}down`), chosen_TD);
  const shared_TD = m.linear(inner_TF, name(`${shared}down`));
  return add(chosen_TD, sigmoidGate(shared_TD, m.linear(x_TD, name('shared_expert_gate'))));
}

/**
 * norm(down(mlp(x))) + norm(experts(norm(residual))), as in Gemma 4. The router reads the residual by itself: experts are chosen by
 * router(norm(residual) / √D), and what each gives has a factor. @param x_TD the residual, normed for the MLP
 */
export function expertsBesideMlp(m: ModelScope, layer: number, x_TD: Tensor, residual_TD: Tensor): Tensor {
  const name = (part: string) => `layers.${layer}.${part}`;
  const read_TD = scale(m.norm(residual_TD, name('router_scale')), m.config.hiddenSize ** -0.5);
  const routes = expertRoute(m.linear(read_TD, name('router')), expertsOf(m, layer));
  const scaled = expertScaleGates(routes, m.weight(name('router_expert_scale')));
  const chosen_TD = chosenExperts(m, layer, m.norm(residual_TD, name('experts_norm')), scaled);
  const own_TD = m.linear(gatedMlp(m, layer, x_TD), name('down'));
  return add(m.norm(own_TD, name('mlp_own_norm')), m.norm(chosen_TD, name('experts_post_norm')));
}

/** What the experts that tokens are sent to give for them, weighed (+ plus). */
function chosenExperts(m: ModelScope, layer: number, x_TD: Tensor, routes: ExpertRoutes, plus_TD?: Tensor): Tensor {
  const { activation, intermediateSize } = expertsOf(m, layer);
  const name = (part: string) => `layers.${layer}.experts_${part}`;
  const gateUp_TCE = m.expertLinear(expertDispatch(x_TD, routes), name('gate_up'), routes);
  const inner_TCF = innerOf(gateUp_TCE, intermediateSize, activation);
  return expertCombine(m.expertLinear(inner_TCF, name('down'), routes), routes, plus_TD);
}

function innerOf(gateUp_TCE: Tensor, width: number, activation: ExpertsConfig['activation']): Tensor {
  if (activation !== 'gelu_tanh') return expertSwiglu(gateUp_TCE, width, activation);
  const { q: gate_TCF, gate: up_TCF } = splitGate(gateUp_TCE, width); // rows lie as queries beside their gates do
  return swiglu(gate_TCF, up_TCF, activation);
}

function expertsOf(m: ModelScope, layer: number): ExpertsConfig {
  const { experts } = m.config;
  if (!experts) throw new Error(`layer ${layer} has no experts`);
  return experts;
}
