import { swiglu, type Tensor } from '@anneal/kernels';
import type { ModelScope } from './modelScope.ts';

/** down(silu(gate(x)) · up(x)) + residual. x, residual: [T, D]. */
export function swigluMlp(m: ModelScope, layer: number, x: Tensor, residual: Tensor): Tensor {
  const name = (part: string) => `layers.${layer}.${part}`;
  return m.linear(swiglu(m.linear(x, name('gate')), m.linear(x, name('up'))), name('down'), residual);
}
