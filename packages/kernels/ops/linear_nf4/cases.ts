import { casesFor, type Fill } from '../../src/cases/casesFor.ts';
import { roundToBf16 } from '../../src/cases/numbers.ts';
import type { Sums, Values } from '../../src/cases/values.ts';
import type { ActivationType } from '../../src/tensor.ts';
import {
  doubleAbsmax,
  doubleFill,
  shape as held,
  nf4Element,
  singleAbsmax,
  singleFill,
} from '../dequantize_nf4/cases.ts';
import {
  expertLinearNf4DoubleBackwardInputOp,
  expertLinearNf4DoubleOp,
  expertLinearNf4Op,
  linearNf4DoubleOp,
  linearNf4Op,
} from './op.ts';

type AbsmaxOf = ReturnType<typeof singleAbsmax>;

/** x · weightᵀ, element by element of the result. */
class Product {
  private readonly x: Values;
  private readonly codes: Values;
  private readonly absmaxOf: AbsmaxOf;
  private readonly isRounded: boolean;

  constructor({ x, codes }: Readonly<Record<'x' | 'codes', Values>>, absmaxOf: AbsmaxOf, isRounded: boolean) {
    this.x = x;
    this.codes = codes;
    this.absmaxOf = absmaxOf;
    this.isRounded = isRounded;
  }

  /** Adds the product of K elements of x, from number `first` on, with row n of the weight. */
  add(y: Sums, row: number, column: number, first: number, n: number, K: number): void {
    for (let k = 0; k < K; k++) this.addTerm(y, row, column, first + k, n, k, K);
  }

  /** Adds element i of x times that of the weight in row n. */
  addTerm(y: Sums, row: number, column: number, i: number, n: number, k: number, K: number): void {
    const operand = (value: number) => (this.isRounded ? roundToBf16(value) : value);
    const x = operand(this.x.data[i] as number);
    const { value, size } = nf4Element(this.codes, this.absmaxOf, n, k, K);
    y.add(row, column, x * operand(value), this.isRounded ? undefined : Math.abs(x) * size);
    // What is rounded to bf16 was rounded to float32 before, by a few units: it may be the neighbor of this one.
    const [below, above] = [operand(value - 4 * float32Roundoff * size), operand(value + 4 * float32Roundoff * size)];
    if (this.isRounded && below !== above) y.allow(row, column, Math.abs(x) * (above - below));
  }
}

const float32Roundoff = 2 ** -24;
const isRounded = (bf16: number, activationType: ActivationType): boolean => bf16 === 1 || activationType === 'bf16';

function dense(T: number, N: number, K: number) {
  return { ...held(N, K), T, K };
}

/** Rows of no whole vectors, blocks through rows, more than one scale; few rows and many. */
const denseCommon = {
  shapes: [
    dense(1, 1, 2),
    dense(1, 33, 200),
    dense(3, 5, 18),
    dense(2, 17, 1032),
    dense(4, 260, 72),
    dense(37, 50, 66),
    dense(5, 130, 320),
    dense(13, 20, 1088),
    dense(40, 9, 192),
    dense(70, 131, 64),
  ],
  attributes: [{ bf16: 0 }, { bf16: 1 }],
  hard: {
    'no rows': { extents: dense(0, 3, 4) },
    // Where blocks share the columns, several regions of the weight.
    ...Object.fromEntries(
      [dense(17, 136, 2048), dense(9, 130, 576), dense(33, 129, 1024)].map((extents) => [
        `${extents.T} rows of ${extents.K} columns`,
        { extents, attributes: { bf16: 0 }, optional: [] },
      ]),
    ),
  },
  benchmark: [1, 4, 8, 16, 32, 64, 128].flatMap((T) =>
    [dense(T, 4096, 4096), dense(T, 28672, 4096), dense(T, 4096, 14336)].map((extents) => ({ extents })),
  ),
};

export const linearNf4Cases = casesFor(linearNf4Op, {
  ...denseCommon,
  fill: singleFill,
  reference: (inputs, { y }, { extents: { T = 0, N = 0, K = 0 }, attributes: { bf16 }, activationType }) => {
    const product = new Product(inputs, singleAbsmax(inputs), isRounded(bf16, activationType));
    addDense(product, inputs.c, y, T, N, K);
  },
});

export const linearNf4DoubleCases = casesFor(linearNf4DoubleOp, {
  ...denseCommon,
  fill: doubleFill,
  reference: (inputs, { y }, { extents: { T = 0, N = 0, K = 0 }, attributes: { bf16 }, activationType }) => {
    const product = new Product(inputs, doubleAbsmax(inputs), isRounded(bf16, activationType));
    addDense(product, inputs.c, y, T, N, K);
  },
});

function addDense(product: Product, c: Values, y: Sums, T: number, N: number, K: number): void {
  for (let t = 0; t < T; t++) {
    for (let n = 0; n < N; n++) {
      product.add(y, t, n, t * K, n, K);
      y.add(t, n, c.at(t, n));
    }
  }
}

function experts({ T, E, C, K, N }: Readonly<Record<'T' | 'E' | 'C' | 'K' | 'N', number>>) {
  const { H, B, M } = held(E * N, K);
  return { T, C, K, N, H, B, M, G: E + 1, R: E * N, W: C * K, Y: C * N };
}

/** Few rows for the first experts, or none, and many for the last. */
const expertOffsets: Fill<string> = ({ extents: { T = 0, C = 0, G = 2 } }) => {
  return (e) => Math.floor(T * C * (e / (G - 1)) ** 2);
};

const expertsCommon = {
  shapes: [
    { T: 1, E: 1, C: 1, K: 2, N: 1 },
    { T: 5, E: 4, C: 2, K: 18, N: 6 },
    { T: 1, E: 8, C: 3, K: 40, N: 33 },
    { T: 4, E: 300, C: 4, K: 64, N: 7 },
    { T: 3, E: 4, C: 2, K: 256, N: 64 },
    { T: 40, E: 3, C: 2, K: 72, N: 136 },
    { T: 75, E: 3, C: 2, K: 64, N: 40 },
  ].map(experts),
  attributes: [{ bf16: 0 }, { bf16: 1 }],
  hard: {
    'no tokens': { extents: experts({ T: 0, E: 3, C: 2, K: 4, N: 5 }) },
    'more rows than a tile, several steps': {
      extents: experts({ T: 260, E: 1, C: 1, K: 128, N: 72 }),
      attributes: { bf16: 0 },
      optional: [],
    },
  },
  benchmark: [1, 4096].map((T) => ({ extents: experts({ T, E: 128, C: 8, K: 2048, N: 1536 }) })),
};

export const expertLinearNf4Cases = casesFor(expertLinearNf4Op, {
  ...expertsCommon,
  fill: { ...singleFill, expertOffsets },
  reference: (inputs, { y }, { extents, attributes: { bf16 }, activationType }) => {
    const product = new Product(inputs, singleAbsmax(inputs), isRounded(bf16, activationType));
    addExperts(product, inputs, y, extents);
  },
});

export const expertLinearNf4DoubleCases = casesFor(expertLinearNf4DoubleOp, {
  ...expertsCommon,
  fill: { ...doubleFill, expertOffsets },
  reference: (inputs, { y }, { extents, attributes: { bf16 }, activationType }) => {
    const product = new Product(inputs, doubleAbsmax(inputs), isRounded(bf16, activationType));
    addExperts(product, inputs, y, extents);
  },
});

/** Matrices of [T, C · K] are read as one row of all elements, as their T · C rows lie one behind the other. */
function addExperts(
  product: Product,
  { expertOffsets: ends, c }: Readonly<Record<'expertOffsets' | 'c', Values>>,
  y: Sums,
  { G = 1, R = 0, K = 0 }: Readonly<Record<string, number>>,
): void {
  const N = R / (G - 1);
  for (let e = 0; e < G - 1; e++) {
    for (let row = ends.at(e); row < ends.at(e + 1); row++) {
      for (let n = 0; n < N; n++) {
        product.add(y, 0, row * N + n, row * K, e * N + n, K);
        y.add(0, row * N + n, c.at(0, row * N + n));
      }
    }
  }
}

export const expertLinearNf4DoubleBackwardInputCases = casesFor(expertLinearNf4DoubleBackwardInputOp, {
  ...expertsCommon,
  fill: { ...doubleFill, expertOffsets },
  reference: (inputs, { dx }, { extents, attributes: { bf16 }, activationType }) => {
    const { dy, codes, expertOffsets: ends, c } = inputs;
    const product = new Product({ x: dy, codes }, doubleAbsmax(inputs), isRounded(bf16, activationType));
    const { G = 1, R = 0, H = 0 } = extents;
    const [N, K] = [R / (G - 1), 2 * H];
    for (let e = 0; e < G - 1; e++) {
      for (let row = ends.at(e); row < ends.at(e + 1); row++) {
        for (let k = 0; k < K; k++) {
          for (let n = 0; n < N; n++) product.addTerm(dx, 0, row * K + k, row * N + n, e * N + n, k, K);
          dx.add(0, row * K + k, c.at(0, row * K + k));
        }
      }
    }
  },
});
