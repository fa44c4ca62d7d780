import { gaussianTop, swiglu, swigluMerged, type Tensor } from '@anneal/kernels';
import { normalQuantile } from '../normalQuantile.ts';
import type { ModelScope } from './modelScope.ts';

/** activation(gate(x)) · up(x): what the MLP's last linear, down, takes. @param of the MLP in the names of its linears: `shared_` for that beside experts */
export function gatedMlp(m: ModelScope, layer: number, x_TD: Tensor, of = ''): Tensor {
  const { fusedGateUp, activation } = m.config;
  const name = (part: string) => `layers.${layer}.${of}${part}`;
  const names = [name('gate'), name('up')] as const;
  const sparsity = m.config.activationSparsity[layer] ?? 0;
  if (sparsity > 0) {
    const [gate_TF, up_TF] = m.project(x_TD, names);
    return swiglu(gaussianTop(gate_TF, normalQuantile(sparsity)), up_TF, activation);
  }
  const gateUp_TE = fusedGateUp ? { y: m.linear(x_TD, name('gate_up')), added: null } : m.projectMerged(x_TD, names);
  return gateUp_TE ? swigluMerged(gateUp_TE, activation) : swiglu(...m.project(x_TD, names), activation);
}
