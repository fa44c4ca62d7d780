import { casesFor, constant, type Fill } from '../../src/cases/casesFor.ts';
import { roundToBf16 } from '../../src/cases/numbers.ts';
import type { Values } from '../../src/cases/values.ts';
import type { ActivationType } from '../../src/tensor.ts';
import { expertLinearBackwardInputOp, expertLinearBackwardWeightOp, expertLinearOp } from './op.ts';

interface Shape {
  readonly T: number;
  /** Experts, and how many of them a token goes to. */
  readonly E: number;
  readonly C: number;
  readonly K: number;
  readonly N: number;
}

function shape({ T, E, C, K, N }: Shape) {
  return { T, C, K, N, E, G: E + 1, R: E * N, W: C * K, Y: C * N };
}

const shapes = [
  { T: 1, E: 1, C: 1, K: 1, N: 1 },
  { T: 5, E: 4, C: 2, K: 17, N: 6 },
  { T: 60, E: 3, C: 2, K: 65, N: 50 },
  { T: 1, E: 8, C: 3, K: 40, N: 33 },
  { T: 200, E: 3, C: 2, K: 72, N: 136 },
].map(shape);
const attributes = [
  { alpha: 1, bf16: 0 },
  { alpha: 0.5, bf16: 1 },
];
const benchmark = [
  { extents: shape({ T: 512, E: 64, C: 8, K: 2048, N: 768 }) },
  { extents: shape({ T: 4096, E: 128, C: 8, K: 2048, N: 1536 }) },
];

/** Few rows for the first experts, or none, and many for the last. */
const offsets: Fill<string> = ({ extents: { T = 0, C = 0, E = 1 } }) => {
  return (e) => Math.floor(T * C * (e / E) ** 2);
};
const hard = {
  'all rows of one expert': {
    extents: shape({ T: 6, E: 3, C: 2, K: 20, N: 9 }),
    fill: { offsets: constant(0, 0, 12, 12) },
  },
  'no tokens': { extents: shape({ T: 0, E: 3, C: 2, K: 4, N: 5 }) },
};

const common = { shapes, attributes, fill: { offsets }, hard, benchmark };

function operandOf(bf16: number, activationType: ActivationType): (value: number) => number {
  return bf16 || activationType === 'bf16' ? roundToBf16 : (value) => value;
}

/** Calls `each` for all rows, with their expert. */
function forRows(bounds: Values, E: number, each: (row: number, expert: number) => void): void {
  for (let e = 0; e < E; e++) for (let row = bounds.at(e); row < bounds.at(e + 1); row++) each(row, e);
}

// Matrices of [T, C · K] are read as one row of all elements, as their T · C rows lie one behind the other.
export const expertLinearCases = casesFor(expertLinearOp, {
  ...common,
  reference: (
    { x, weight, offsets: bounds, c },
    { y },
    { extents: { G = 1, R = 0, K = 0 }, attributes: { alpha, bf16 }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    const N = R / (G - 1);
    forRows(bounds, G - 1, (row, e) => {
      for (let n = 0; n < N; n++) {
        for (let k = 0; k < K; k++)
          y.add(0, row * N + n, alpha * operand(x.at(0, row * K + k)) * operand(weight.at(e * N + n, k)));
        y.add(0, row * N + n, c.at(0, row * N + n));
      }
    });
  },
});

export const expertLinearBackwardInputCases = casesFor(expertLinearBackwardInputOp, {
  ...common,
  reference: (
    { dy, weight, offsets: bounds, c },
    { dx },
    { extents: { G = 1, R = 0, K = 0 }, attributes: { alpha, bf16 }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    const N = R / (G - 1);
    forRows(bounds, G - 1, (row, e) => {
      for (let k = 0; k < K; k++) {
        for (let n = 0; n < N; n++)
          dx.add(0, row * K + k, alpha * operand(dy.at(0, row * N + n)) * operand(weight.at(e * N + n, k)));
        dx.add(0, row * K + k, c.at(0, row * K + k));
      }
    });
  },
});

export const expertLinearBackwardWeightCases = casesFor(expertLinearBackwardWeightOp, {
  ...common,
  reference: (
    { dy, x, offsets: bounds, gradient },
    { total },
    { extents: { G = 1, R = 0, K = 0 }, attributes: { alpha, bf16 }, activationType },
  ) => {
    const operand = operandOf(bf16, activationType);
    const N = R / (G - 1);
    for (let r = 0; r < R; r++) for (let k = 0; k < K; k++) total.add(r, k, gradient.at(r, k));
    forRows(bounds, G - 1, (row, e) => {
      for (let n = 0; n < N; n++) {
        for (let k = 0; k < K; k++)
          total.add(e * N + n, k, alpha * operand(dy.at(0, row * N + n)) * operand(x.at(0, row * K + k)));
      }
    });
  },
});
