import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { ExpertRoutes } from '../expert_route/op.ts';

/** scaled = gate · scale of its expert. */
export const expertScaleGatesOp: Op<'gates' | 'experts' | 'scale', 'scaled'> = defineOp({
  name: 'expert_scale_gates',
  inputs: { gates: 'f32[T,C]', experts: 'i32[T,C]', scale: 'f32[E]' },
  outputs: { scaled: 'f32[T,C]' },
  inPlace: { scaled: ['gates'] },
  cheap: true,
  flops: ({ T = 0, C = 0 }) => T * C,
  backward: ({ graph, inputs: { gates, experts, scale }, gradients: { scaled: dscaled }, needs, gradientOf }) => {
    if (!dscaled) return {};
    if (needs('scale')) {
      const gradient = gradientOf('scale');
      graph.apply(expertScaleGatesBackwardOp, { dscaled, gates, experts, gradient });
    }
    return { gates: graph.apply(expertScaleGatesOp, { gates: dscaled, experts, scale }).scaled };
  },
});

/** gradient of each expert += the sum of dscaled · gate of the tokens that go to it. */
export const expertScaleGatesBackwardOp = defineOp({
  name: 'expert_scale_gates_backward',
  inputs: { dscaled: 'f32[T,C]', gates: 'f32[T,C]', experts: 'i32[T,C]', gradient: 'f32[E]' },
  outputs: { total: 'f32[E]' },
  updates: { total: 'gradient' },
  flops: ({ T = 0, C = 0 }) => 2 * T * C,
});

/** The same routes with these gates. @param scale [E] */
export function expertScaleGates(routes: ExpertRoutes, scale: Tensor): ExpertRoutes {
  const { gates, experts } = routes;
  return { ...routes, gates: graphOf(gates).apply(expertScaleGatesOp, { gates, experts, scale }).scaled };
}
