import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** cos and sin of position · inverse frequency, times `scale` (YaRN's attention factor). Angles are float32 products, as in transformers. */
export const ropeTableOp = defineOp({
  name: 'rope_table',
  inputs: { positions: 'i32[T]', inverse: 'f32[P]' },
  outputs: { cos: 'f32[T,P]', sin: 'f32[T,P]' },
  attributes: ['scale'],
  flops: ({ T = 0, P = 0 }) => 40 * T * P,
});

/**
 * Rotates the pairs (x[p], x[p + P]) of every head of 2P values by the token's angles; `direction` -1 turns back.
 * Su et al. 2021, in the half-split layout of Hugging Face checkpoints.
 */
export const ropeOp: Op<'x' | 'cos' | 'sin', 'y', 'direction'> = defineOp({
  name: 'rope',
  inputs: { x: 'A[T,D]', cos: 'f32[T,P]', sin: 'f32[T,P]' },
  outputs: { y: 'A[T,D]' },
  attributes: ['direction'],
  inPlace: { y: ['x'] },
  derive: ({ D, P }) => {
    if (Number(D) % (2 * Number(P)) !== 0)
      throw new Error(`rope: rows of ${D} do not divide into heads of ${2 * Number(P)}`);
    return {};
  },
  cheap: true,
  flops: ({ T = 0, D = 0 }) => 3 * T * D,
  backward: ({ graph, inputs: { cos, sin }, attributes: { direction }, gradients: { y: dy } }) =>
    dy ? { x: graph.apply(ropeOp, { x: dy, cos, sin }, { direction: -direction }).y } : {},
});

export interface RopeTable {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

export function ropeTable(positions: Tensor, inverse: Tensor, scale: number): RopeTable {
  return graphOf(positions).apply(ropeTableOp, { positions, inverse }, { scale });
}

export function rope(x: Tensor, { cos, sin }: RopeTable): Tensor {
  return graphOf(x).apply(ropeOp, { x, cos, sin }, { direction: 1 }).y;
}
