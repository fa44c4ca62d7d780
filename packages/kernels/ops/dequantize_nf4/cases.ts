import { casesFor, type Fill, type NamedCase, positives, scaled } from '../../src/cases/casesFor.ts';
import { integer } from '../../src/cases/numbers.ts';
import type { Sums, Values } from '../../src/cases/values.ts';
import type { Sizes } from '../../src/op.ts';
import { dequantizeNf4DoubleOp, dequantizeNf4Op, nf4Block, nf4ScaleBlock } from './op.ts';

/** As native/nf4.h has them. */
const values = [
  -1, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
  -0.09105003625154495, 0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
  0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1,
];

export function shape(N: number, K: number): { N: number; H: number; B: number; M: number } {
  const B = Math.ceil((N * K) / nf4Block);
  return { N, H: K / 2, B, M: Math.ceil(B / nf4ScaleBlock) };
}

/** One weight pair, blocks through rows, a last block that is not full, sizes that are no whole vectors, more than one scale. */
const shapes = [shape(1, 2), shape(3, 32), shape(5, 66), shape(7, 130), shape(300, 64), shape(130, 258)];
const benchmark: readonly NamedCase<never, never>[] = [{ extents: shape(576, 1536) }, { extents: shape(4096, 4096) }];

const bytes: Fill<never> =
  ({ random }) =>
  () =>
    integer(random, 256);

/** A number in float64, and the sizes of what was added to it: as `Sums` takes them. */
interface Sized {
  readonly value: number;
  readonly size: number;
}
type AbsmaxOf = (block: number) => Sized;

type SingleInputs = Readonly<Record<'codes' | 'absmax', Values>>;
type DoubleInputs = SingleInputs & Readonly<Record<'scales' | 'map' | 'offsets', Values>>;

export const singleFill = { codes: bytes, absmax: positives };
export const doubleFill = { codes: bytes, absmax: bytes, scales: positives, map: scaled(0.5), offsets: positives };

export const singleAbsmax =
  ({ absmax }: SingleInputs): AbsmaxOf =>
  (block) => ({ value: absmax.at(block), size: absmax.at(block) });

export const doubleAbsmax =
  ({ absmax, scales, map, offsets }: DoubleInputs): AbsmaxOf =>
  (block) => {
    const scaleBlock = Math.floor(block / nf4ScaleBlock);
    const [product, offset] = [map.at(absmax.at(block)) * scales.at(scaleBlock), offsets.at(scaleBlock)];
    return { value: product + offset, size: Math.abs(product) + offset };
  };

/** Element [n, k] of a weight of K columns. */
export function nf4Element(codes: Values, absmaxOf: AbsmaxOf, n: number, k: number, K: number): Sized {
  const byte = codes.at(n, k >> 1);
  const code = values[k % 2 === 0 ? byte >> 4 : byte & 15] as number;
  const { value, size } = absmaxOf(Math.floor((n * K + k) / nf4Block));
  return { value: code * value, size: Math.abs(code) * size };
}

function reference(codes: Values, weight: Sums, { N = 0, H = 0 }: Sizes, absmaxOf: AbsmaxOf): void {
  for (let n = 0; n < N; n++) {
    for (let k = 0; k < 2 * H; k++) {
      const { value, size } = nf4Element(codes, absmaxOf, n, k, 2 * H);
      weight.add(n, k, value, size);
    }
  }
}

export const dequantizeNf4Cases = casesFor(dequantizeNf4Op, {
  shapes,
  fill: singleFill,
  benchmark,
  reference: (inputs, { weight }, { extents }) => reference(inputs.codes, weight, extents, singleAbsmax(inputs)),
});

export const dequantizeNf4DoubleCases = casesFor(dequantizeNf4DoubleOp, {
  shapes,
  fill: doubleFill,
  benchmark,
  reference: (inputs, { weight }, { extents }) => reference(inputs.codes, weight, extents, doubleAbsmax(inputs)),
});
