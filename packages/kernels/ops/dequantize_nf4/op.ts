import type { Graph } from '../../src/graph.ts';
import { defineOp, type Extents, type Sizes } from '../../src/op.ts';
import type { Tensor } from '../../src/tensor.ts';

/** Weights that share an absmax, and absmaxes that share a scale where they are quantized themselves. */
export const nf4Block = 64;
export const nf4ScaleBlock = 256;

/** A weight [N,K] in NF4, K even: two codes a byte, the first in the upper half; blocks run through rows. */
export type Nf4Weight = { readonly codes: Tensor } & (
  | { readonly absmax: Tensor; readonly double: null }
  | {
      readonly absmax: Tensor;
      /** absmax = map[its code] · scale of its block + offset of its block, which a matrix has one of: [M] each. */
      readonly double: { readonly scales: Tensor; readonly map: Tensor; readonly offsets: Tensor };
    }
);

/** Of a weight [rows, 2H] in NF4 with B blocks and, where their absmaxes are quantized, M scales. Throws an Error where these do not go together. */
export function checkNf4(rows: number, extents: Extents): void {
  const [H, B, M] = [Number(extents['H']), Number(extents['B']), extents['M']];
  const blocks = Math.ceil((2 * rows * H) / nf4Block);
  if (B !== blocks) throw new Error(`${2 * rows * H} weights in NF4 have ${blocks} blocks, not ${B}`);
  if (M !== undefined && M !== Math.ceil(B / nf4ScaleBlock)) throw new Error(`${B} blocks do not have ${M} scales`);
}

function derive(extents: Extents): Extents {
  checkNf4(Number(extents['N']), extents);
  return { K: 2 * Number(extents['H']) };
}

const flops = ({ N = 0, H = 0 }: Sizes) => 2 * N * H;

/** A weight as products read it, in the activations' type: value of the code · absmax of its block, rounded once. */
export const dequantizeNf4Op = defineOp({
  name: 'dequantize_nf4',
  inputs: { codes: 'u8[N,H]', absmax: 'f32[B]' },
  outputs: { weight: 'A[N,K]' },
  derive,
  flops,
  cheap: true,
  transient: true,
});

/** The same where the absmaxes are quantized themselves, in 8 bits. */
export const dequantizeNf4DoubleOp = defineOp({
  name: 'dequantize_nf4_double',
  inputs: { codes: 'u8[N,H]', absmax: 'u8[B]', scales: 'f32[M]', map: 'f32[256]', offsets: 'f32[M]' },
  outputs: { weight: 'A[N,K]' },
  derive,
  flops,
  cheap: true,
  transient: true,
});

export function dequantizeNf4(graph: Graph, { codes, absmax, double }: Nf4Weight): Tensor {
  return double
    ? graph.apply(dequantizeNf4DoubleOp, { codes, absmax, ...double }).weight
    : graph.apply(dequantizeNf4Op, { codes, absmax }).weight;
}
