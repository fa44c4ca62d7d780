import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';
import type { ExpertRoutes } from '../expert_route/op.ts';

/**
 * y[places[t, c]] = x[t]: a copy of each token for each of its C experts, sorted by expert. What experts read and write are T · C rows
 * beside each other, C · D elements for each token: W.
 */
export const expertDispatchOp = defineOp({
  name: 'expert_dispatch',
  inputs: { x: 'A[T,D]', places: 'i32[T,C]' },
  outputs: { y: 'A[T,W]' },
  derive: ({ C, D }) => ({ W: Number(C) * Number(D) }),
  cheap: true,
  flops: () => 0,
  backward: ({ graph, inputs: { places }, gradients: { y: dy } }) => {
    return dy ? { x: graph.apply(expertCombineOp, { x: dy, places }).y } : {};
  },
});

function rowOfChoice({ C, W }: Extents): Extents {
  if (Number(W) % Number(C) !== 0) throw new Error(`expert_combine: ${W} columns are not ${C} rows`);
  return { D: Number(W) / Number(C) };
}

/** y[t] = Σ_c gates[t, c] · x[places[t, c]] (+ c[t]), in the order of a token's choices; without gates they are 1. */
export const expertCombineOp = defineOp({
  name: 'expert_combine',
  inputs: { x: 'A[T,W]', places: 'i32[T,C]', gates: 'f32[T,C]?', c: 'A[T,D]?' },
  outputs: { y: 'A[T,D]' },
  derive: rowOfChoice,
  inPlace: { y: ['c'] },
  accumulator: { into: 'y', from: 'c' },
  flops: ({ T = 0, W = 0 }) => 2 * T * W,
  backward: ({ graph, inputs: { x, places, gates }, gradients: { y: dy }, needs }) => {
    if (!dy) return {};
    const { dx, dgates } = graph.apply(expertCombineBackwardOp, { dy, x, places, gates });
    return { x: dx, gates: dgates, ...(needs('c') && { c: dy }) };
  },
});

/** dx[places[t, c]] = gates[t, c] · dy[t], dgates[t, c] = dy[t] · x[places[t, c]]. */
export const expertCombineBackwardOp = defineOp({
  name: 'expert_combine_backward',
  inputs: { dy: 'A[T,D]', x: 'A[T,W]', places: 'i32[T,C]', gates: 'f32[T,C]' },
  outputs: { dx: 'A[T,W]', dgates: 'f32[T,C]' },
  derive: rowOfChoice,
  flops: ({ T = 0, W = 0 }) => 3 * T * W,
});

export function expertDispatch(x_TD: Tensor, { places }: ExpertRoutes): Tensor {
  return graphOf(x_TD).apply(expertDispatchOp, { x: x_TD, places }).y;
}

/** The experts' outputs, weighted and added up for each token (+ plus). */
export function expertCombine(x_TW: Tensor, { places, gates }: ExpertRoutes, plus_TD?: Tensor): Tensor {
  return graphOf(x_TW).apply(expertCombineOp, { x: x_TW, places, gates, c: plus_TD }).y;
}
