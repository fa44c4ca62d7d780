import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { ExpertRoutes } from '../expert_route/op.ts';

function checkRows({ G, B, Y }: Extents): Extents {
  const each = Number(B) / (Number(G) - 1);
  if (!Number.isInteger(each) || Number(Y) % each !== 0)
    throw new Error(`expert_add_bias: ${B} biases of ${Number(G) - 1} experts do not fit rows of ${Y}`);
  return {};
}

/** y = x + bias_e for the rows of each expert e, as `expert_linear` writes them: several of B / (G - 1) elements for each token. */
export const expertAddBiasOp = defineOp({
  name: 'expert_add_bias',
  inputs: { x: 'A[T,Y]', bias: 'f32[B]', offsets: 'i32[G]' },
  outputs: { y: 'A[T,Y]' },
  derive: checkRows,
  inPlace: { y: ['x'] },
  cheap: true,
  flops: ({ T = 0, Y = 0 }) => T * Y,
  backward: ({ graph, inputs: { offsets }, gradients: { y: dy }, needs, gradientOf }) => {
    if (dy && needs('bias')) graph.apply(expertAddBiasBackwardOp, { dy, offsets, gradient: gradientOf('bias') });
    return dy ? { x: dy } : {};
  },
});

/** gradient_e += sum of dy over the rows of each expert. */
export const expertAddBiasBackwardOp = defineOp({
  name: 'expert_add_bias_backward',
  inputs: { dy: 'A[T,Y]', offsets: 'i32[G]', gradient: 'f32[B]' },
  outputs: { total: 'f32[B]' },
  derive: checkRows,
  updates: { total: 'gradient' },
  flops: ({ T = 0, Y = 0 }) => T * Y,
});

/** @param bias [E · N], the experts' one behind the other */
export function expertAddBias(x_TY: Tensor, bias: Tensor, { offsets }: Pick<ExpertRoutes, 'offsets'>): Tensor {
  return graphOf(x_TY).apply(expertAddBiasOp, { x: x_TY, bias, offsets }).y;
}
