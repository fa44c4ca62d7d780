import { swiglu, swigluMerged, type Tensor } from '@anneal/kernels';
import type { ModelScope } from './modelScope.ts';

/** down(silu(gate(x)) · up(x)) + residual. x, residual: [T, D]. */
export function swigluMlp(m: ModelScope, layer: number, x: Tensor, residual: Tensor): Tensor {
  const name = (part: string) => `layers.${layer}.${part}`;
  const names = [name('gate'), name('up')] as const;
  const merged = m.projectMerged(x, names);
  const inner = merged ? swigluMerged(merged) : swiglu(...m.project(x, names));
  return m.linear(inner, name('down'), residual);
}
