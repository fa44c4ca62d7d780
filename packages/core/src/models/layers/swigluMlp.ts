import { swiglu, type Tensor } from '@anneal/kernels';
import type { ModelScope } from './modelScope.ts';

/** down(silu(gate(x)) · up(x)) + residual. x, residual: [T, D]. */
export function swigluMlp(m: ModelScope, layer: number, x: Tensor, residual: Tensor): Tensor {
  const name = (part: string) => `layers.${layer}.${part}`;
  const [gate, up] = m.project(x, [name('gate'), name('up')]);
  return m.linear(swiglu(gate, up), name('down'), residual);
}
