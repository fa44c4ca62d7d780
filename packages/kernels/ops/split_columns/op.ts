import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** What one product gives for two uses: x = [left right]. */
export const splitColumnsOp = defineOp({
  name: 'split_columns',
  inputs: { x: 'A[T,W]' },
  outputs: { left: 'A[T,L]', right: 'A[T,R]' },
  attributes: ['columns'],
  derive: ({ W }, { columns }) => {
    if (columns < 1 || columns >= Number(W)) throw new Error(`split_columns: ${columns} of ${W} columns`);
    return { L: columns, R: Number(W) - columns };
  },
  cheap: true,
  tiles: true,
  flops: () => 0,
  backward: ({ graph, gradients: { left, right } }) => {
    if (!left || !right) throw new Error('split_columns: an output is not used');
    return { x: graph.apply(joinColumnsOp, { left, right }).x };
  },
});

/** x = [left right]. */
export const joinColumnsOp: Op<'left' | 'right', 'x'> = defineOp({
  name: 'join_columns',
  inputs: { left: 'A[T,L]', right: 'A[T,R]' },
  outputs: { x: 'A[T,W]' },
  derive: ({ L, R }) => ({ W: Number(L) + Number(R) }),
  cheap: true,
  tiles: true,
  flops: () => 0,
  backward: ({ graph, inputs: { left: first }, gradients: { x: dx } }) =>
    dx ? graph.apply(splitColumnsOp, { x: dx }, { columns: Number(first.shape[1]) }) : {},
});

/** @param columns of the left part */
export function splitColumns(x: Tensor, columns: number): [left: Tensor, right: Tensor] {
  const { left, right } = graphOf(x).apply(splitColumnsOp, { x }, { columns });
  return [left, right];
}

/** [left right] */
export function joinColumns(left: Tensor, right: Tensor): Tensor {
  return graphOf(left).apply(joinColumnsOp, { left, right }).x;
}
