import { swiglu, swigluMerged, type Tensor } from '@anneal/kernels';
import type { ModelScope } from './modelScope.ts';

/** down(silu(gate(x)) · up(x)) + residual. */
export function swigluMlp(m: ModelScope, layer: number, x_TD: Tensor, residual_TD: Tensor): Tensor {
  const name = (part: string) => `layers.${layer}.${part}`;
  const names = [name('gate'), name('up')] as const;
  const gateUp_TE = m.projectMerged(x_TD, names);
  const inner_TF = gateUp_TE ? swigluMerged(gateUp_TE) : swiglu(...m.project(x_TD, names));
  return m.linear(inner_TF, name('down'), residual_TD);
}
