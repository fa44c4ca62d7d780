import { casesFor, constant, type Fill } from '../../src/cases/casesFor.ts';
import type { Values } from '../../src/cases/values.ts';
import { expertAddBiasBackwardOp, expertAddBiasOp } from './op.ts';

/** C of E experts for each token, which write rows of N. */
function shape(T: number, E: number, C: number, N: number) {
  return { T, E, C, N, G: E + 1, B: E * N, Y: C * N };
}

const shapes = [shape(1, 1, 1, 1), shape(5, 4, 2, 6), shape(60, 3, 2, 130), shape(1, 8, 3, 33)];
const benchmark = [{ extents: shape(512, 32, 4, 2880) }];

/** Few rows for the first experts, or none, and many for the last. */
const offsets: Fill<string> = ({ extents: { T = 0, C = 0, E = 1 } }) => {
  return (e) => Math.floor(T * C * (e / E) ** 2);
};
const hard = {
  'all rows of one expert': { extents: shape(6, 3, 2, 9), fill: { offsets: constant(0, 0, 12, 12) } },
  'no tokens': { extents: shape(0, 3, 2, 5) },
};

const common = { shapes, fill: { offsets }, hard, benchmark };

/** Calls `each` for all elements of the experts' rows, which lie one behind the other, with the place of their bias. */
function forElements(bounds: Values, E: number, N: number, each: (element: number, bias: number) => void): void {
  for (let e = 0; e < E; e++)
    for (let row = bounds.at(e); row < bounds.at(e + 1); row++)
      for (let n = 0; n < N; n++) each(row * N + n, e * N + n);
}

export const expertAddBiasCases = casesFor(expertAddBiasOp, {
  ...common,
  reference: ({ x, bias, offsets: bounds }, { y }, { extents: { G = 1, B = 0 } }) => {
    forElements(bounds, G - 1, B / (G - 1), (element, at) => {
      y.add(0, element, x.at(0, element));
      y.add(0, element, bias.at(at));
    });
  },
});

export const expertAddBiasBackwardCases = casesFor(expertAddBiasBackwardOp, {
  ...common,
  reference: ({ dy, offsets: bounds, gradient }, { total }, { extents: { G = 1, B = 0 } }) => {
    for (let b = 0; b < B; b++) total.add(b, 0, gradient.at(b));
    forElements(bounds, G - 1, B / (G - 1), (element, at) => total.add(at, 0, dy.at(0, element)));
  },
});
