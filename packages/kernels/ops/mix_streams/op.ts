import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** Of both sides: what a thread of a GPU holds. */
const MOST_STREAMS = 4;

/** N inputs of D columns, all but the first beside each other in R, as many outputs as said, likewise in S, and a weight for each two. */
function streams({ D, R = 0, S, M }: Extents, { outputs }: { readonly outputs: number }): Extents {
  const inputs = 1 + Number(R) / Number(D);
  const width = (outputs - 1) * Number(D);
  const fits = Number.isInteger(inputs) && (S ?? width) === width && Number(M) === inputs * outputs;
  if (!fits || outputs < 2 || Math.max(inputs, outputs) > MOST_STREAMS)
    throw new Error(`mix_streams: ${D} and ${R} columns do not give ${outputs} streams by ${M} weights`);
  return { S: width };
}

/**
 * y_j = x_(j mod N) + Σ_i weights[j · N + i] · x_i of each token, of streams x_i and y_j, of which the first is a tensor of its own and the
 * others lie beside each other: what predicts and corrects the streams of AltUp. Baykal et al. 2023.
 */
export const mixStreamsOp = defineOp({
  name: 'mix_streams',
  inputs: { first: 'A[T,D]', others: 'A[T,R]?', weights: 'A[T,M]' },
  outputs: { yFirst: 'A[T,D]', yOthers: 'A[T,S]' },
  attributes: ['outputs'],
  derive: streams,
  cheap: true,
  tiles: true,
  flops: ({ T = 0, D = 0, M = 0 }) => 2 * T * D * M,
  backward: ({ graph, inputs, attributes, gradients: { yFirst: dyFirst, yOthers: dyOthers } }) => {
    if (!dyFirst || !dyOthers) throw new Error('mix_streams: an output is not used');
    const { first, others, weights } = inputs;
    const given = graph.apply(mixStreamsBackwardOp, { dyFirst, dyOthers, first, others, weights }, attributes);
    return { first: given.dfirst, weights: given.dweights, ...(others && { others: given.dothers }) };
  },
});

/** dx_i = Σ_j (weights[j · N + i] + [i = j mod N]) · dy_j, dweights[j · N + i] = dy_j · x_i. */
export const mixStreamsBackwardOp = defineOp({
  name: 'mix_streams_backward',
  inputs: { dyFirst: 'A[T,D]', dyOthers: 'A[T,S]', first: 'A[T,D]', others: 'A[T,R]?', weights: 'A[T,M]' },
  outputs: { dfirst: 'A[T,D]', dothers: 'A[T,R]?', dweights: 'A[T,M]' },
  attributes: ['outputs'],
  derive: streams,
  tiles: true,
  flops: ({ T = 0, D = 0, M = 0 }) => 4 * T * D * M,
});

/** The first of several streams [T, D], and the others beside each other. */
export interface Streams {
  readonly first: Tensor;
  /** Null where there is one stream only. */
  readonly others: Tensor | null;
}

/** @param weights [T, outputs · inputs] */
export function mixStreams({ first, others }: Streams, weights: Tensor, outputs: number): Streams & { others: Tensor } {
  const inputs = { first, others: others ?? undefined, weights };
  const { yFirst, yOthers } = graphOf(first).apply(mixStreamsOp, inputs, { outputs });
  return { first: yFirst, others: yOthers };
}
