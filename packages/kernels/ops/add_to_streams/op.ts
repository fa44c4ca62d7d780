import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

function streams({ W, D }: Extents): Extents {
  if (Number(W) % Number(D) !== 0) throw new Error(`add_to_streams: ${W} columns are no streams of ${D}`);
  return {};
}

/** y_j = x_j + added, of streams of D columns that lie beside each other. */
export const addToStreamsOp = defineOp({
  name: 'add_to_streams',
  inputs: { x: 'A[T,W]', added: 'A[T,D]' },
  outputs: { y: 'A[T,W]' },
  derive: streams,
  inPlace: { y: ['x'] },
  cheap: true,
  tiles: true,
  flops: ({ T = 0, W = 0 }) => T * W,
  backward: ({ graph, inputs: { added }, gradients: { y: dy }, needs }) => {
    if (!dy) return {};
    const width = Number(added.shape[1]);
    return { x: dy, ...(needs('added') && { added: graph.apply(sumStreamsOp, { x: dy }, { width }).sum }) };
  },
});

/** sum = Σ x_j over the streams of D = width columns. */
export const sumStreamsOp = defineOp({
  name: 'sum_streams',
  inputs: { x: 'A[T,W]' },
  outputs: { sum: 'A[T,D]' },
  attributes: ['width'],
  derive: ({ W }, { width }) => ({ D: width, ...streams({ W: Number(W), D: width }) }),
  tiles: true,
  flops: ({ T = 0, W = 0 }) => T * W,
});

/** @param x [T, n · D] @param added [T, D] */
export function addToStreams(x: Tensor, added: Tensor): Tensor {
  return graphOf(x).apply(addToStreamsOp, { x, added }).y;
}
