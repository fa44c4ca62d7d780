import { graphOf } from '../../src/graph.ts';
import { defineOp, type Op } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/**
 * cos and sin of position · inverse frequency, times `scale` (YaRN's attention factor). Angles are float32 products, as in transformers.
 *
 * With `long`, LongRoPE (Ding et al. 2024): a sequence of more than `original` positions takes those frequencies instead. Its length is
 * that of the document by cuSeqlens, or, without them, of one sequence up to the last position.
 *
 * With `factor`, dynamic NTK: a sequence of more than `original` positions has the frequencies of the base
 * base · (factor · length / original - (factor - 1))^(2P / (2P - 2)), by the same length.
 *
 * With `beta`, both are also times 1 + beta · ln(1 + ⌊position / original⌋): what turns queries then scales them, as in Llama 4.
 */
export const ropeTableOp = defineOp({
  name: 'rope_table',
  inputs: { positions: 'i32[T]', inverse: 'f32[P]', long: 'f32[P]?', cuSeqlens: 'i32[S]?' },
  outputs: { cos: 'f32[T,P]', sin: 'f32[T,P]' },
  attributes: ['scale', 'original', 'beta', 'factor'],
  flops: ({ T = 0, P = 0 }) => 40 * T * P,
});

/**
 * Rotates pairs of every head of `size` values by the token's P angles: of the 2P values from `first` on, the others stay. Pairs
 * are (x[p], x[p + P]) of these, the half-split layout of most Hugging Face checkpoints, or (x[2p], x[2p + 1]) where `interleaved`.
 * `direction` -1 turns back. Su et al. 2021.
 */
export const ropeOp: Op<'x' | 'cos' | 'sin', 'y', 'direction' | 'size' | 'interleaved' | 'first'> = defineOp({
  name: 'rope',
  inputs: { x: 'A[T,D]', cos: 'f32[T,P]', sin: 'f32[T,P]' },
  outputs: { y: 'A[T,D]' },
  attributes: ['direction', 'size', 'interleaved', 'first'],
  inPlace: { y: ['x'] },
  derive: ({ D, P }, { size, first }) => {
    if (Number(D) % size !== 0 || size % 2 !== 0 || first < 0 || first % 2 !== 0 || size < first + 2 * Number(P))
      throw new Error(`rope: rows of ${D} do not divide into heads of ${size}, of which ${2 * Number(P)} are turned`);
    return {};
  },
  cheap: true,
  flops: ({ T = 0, D = 0 }) => 3 * T * D,
  backward: ({ graph, inputs: { cos, sin }, attributes, gradients: { y: dy } }) => {
    if (!dy) return {};
    return { x: graph.apply(ropeOp, { x: dy, cos, sin }, { ...attributes, direction: -attributes.direction }).y };
  },
});

export interface RopeTable {
  readonly cos: Tensor;
  readonly sin: Tensor;
}

export interface RopeTableOptions {
  /** Of sequences beyond the original context: frequencies of their own, or the factor of dynamic NTK. */
  readonly long?: LongSequences | null;
  readonly queryScaling?: { readonly beta: number; readonly original: number } | null;
}

type LongSequences = { readonly original: number; readonly cuSeqlens: Tensor | null } & (
  | { readonly inverse: Tensor }
  | { readonly factor: number }
);

/** @param scale multiplies cos and sin */
export function ropeTable(
  positions: Tensor,
  inverse: Tensor,
  scale: number,
  { long = null, queryScaling = null }: RopeTableOptions = {},
): RopeTable {
  if (long && queryScaling && long.original !== queryScaling.original)
    throw new Error('rope_table: two lengths of the original context');
  const other = long && 'inverse' in long ? long.inverse : undefined;
  return graphOf(positions).apply(
    ropeTableOp,
    { positions, inverse, long: other, cuSeqlens: long?.cuSeqlens ?? undefined },
    {
      scale,
      original: long?.original ?? queryScaling?.original ?? 0,
      beta: queryScaling?.beta ?? 0,
      factor: long && 'factor' in long ? long.factor : 0,
    },
  );
}

export interface RopeOptions {
  /** Of a head, all of which is turned where nothing is said. */
  readonly size?: number;
  /** Pairs are neighbors. */
  readonly interleaved?: boolean;
  /** Where in a head the turned part begins. */
  readonly first?: number;
}

export function rope(x: Tensor, { cos, sin }: RopeTable, options: RopeOptions = {}): Tensor {
  const { size = 2 * Number(cos.shape[1]), interleaved = false, first = 0 } = options;
  return graphOf(x).apply(ropeOp, { x, cos, sin }, { direction: 1, size, interleaved: interleaved ? 1 : 0, first }).y;
}
