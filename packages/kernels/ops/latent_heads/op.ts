import { graphOf } from '../../src/graph.ts';
import { defineOp, type Extents, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

interface Heads {
  readonly heads: number;
  /** Of values. */
  readonly valueSize: number;
}

/** Values have the size of keys, what is missing being 0: attention knows one size, and what it gives for zeros is 0. */
function sizes({ U, R }: Extents, { heads, valueSize }: Heads): { K: number } {
  const own = Number(U) / heads - valueSize;
  if (!Number.isInteger(own) || own < 1 || valueSize > own + Number(R))
    throw new Error(
      `latent heads: ${U} columns are no ${heads} heads with values of ${valueSize} beside ${R} shared ones`,
    );
  return { K: heads * (own + Number(R)) };
}

/**
 * Keys and values of multi-head latent attention. `up` holds for each head a part of its key, then its value, and `shared` the rest of every
 * head's key: keys = [own shared] and values = [value 0], head by head.
 */
export const latentKeysValuesOp = defineOp({
  name: 'latent_keys_values',
  inputs: { up: 'A[T,U]', shared: 'A[T,R]' },
  outputs: { keys: 'A[T,K]', values: 'A[T,K]' },
  attributes: ['heads', 'valueSize'],
  derive: sizes,
  cheap: true,
  flops: () => 0,
  backward: ({ graph, inputs, attributes, gradients: { keys: dkeys, values: dvalues } }) => {
    if (!dkeys || !dvalues) throw new Error('latent_keys_values: an output is not used');
    const { dup, dshared } = graph.apply(
      latentKeysValuesBackwardOp,
      { dkeys, dvalues },
      {
        ...attributes,
        sharedSize: Number(inputs.shared.shape[1]),
      },
    );
    return { up: dup, shared: dshared };
  },
});

/** dshared is the sum over the heads. */
export const latentKeysValuesBackwardOp = defineOp({
  name: 'latent_keys_values_backward',
  inputs: { dkeys: 'A[T,K]', dvalues: 'A[T,K]' },
  outputs: { dup: 'A[T,U]', dshared: 'A[T,R]' },
  attributes: ['heads', 'valueSize', 'sharedSize'],
  derive: ({ K }, { heads, valueSize, sharedSize }) => ({
    U: Number(K) + heads * (valueSize - sharedSize),
    R: sharedSize,
  }),
  flops: ({ T = 0, K = 0 }) => T * K,
});

interface Trim {
  readonly size: number;
  readonly kept: number;
}

/** @param part the size of a head in `columns` */
function headsOf(columns: number, part: number, { size, kept }: Trim): number {
  if (kept < 1 || kept > size) throw new Error(`${kept} of the ${size} values of a head`);
  if (columns % part !== 0) throw new Error(`heads of ${part} do not fit ${columns} columns`);
  return columns / part;
}

/** The first `kept` of the `size` values of each head. */
export const trimHeadsOp: Op<'x', 'y', keyof Trim> = defineOp({
  name: 'trim_heads',
  inputs: { x: 'A[T,W]' },
  outputs: { y: 'A[T,N]' },
  attributes: ['size', 'kept'],
  derive: ({ W }, trim) => ({ N: headsOf(Number(W), trim.size, trim) * trim.kept }),
  cheap: true,
  tiles: true,
  flops: () => 0,
  backward: ({ graph, attributes, gradients: { y } }) => (y ? { x: graph.apply(padHeadsOp, { y }, attributes).x } : {}),
});

/** The reverse: what is missing is 0. */
export const padHeadsOp: Op<'y', 'x', keyof Trim> = defineOp({
  name: 'pad_heads',
  inputs: { y: 'A[T,N]' },
  outputs: { x: 'A[T,W]' },
  attributes: ['size', 'kept'],
  derive: ({ N }, trim) => ({ W: headsOf(Number(N), trim.kept, trim) * trim.size }),
  tiles: true,
  flops: () => 0,
});

/** @param up [T, heads · (own key size + value size)]  @param shared [T, the rest of a key] */
export function latentKeysValues(
  up: Tensor,
  shared: Tensor,
  { heads, valueSize }: Heads,
): { keys: Tensor; values: Tensor } {
  return graphOf(up).apply(latentKeysValuesOp, { up, shared }, { heads, valueSize });
}

/** @param x [T, heads · size] */
export function trimHeads(x: Tensor, { size, kept }: Trim): Tensor {
  return graphOf(x).apply(trimHeadsOp, { x }, { size, kept }).y;
}
