import { casesFor, constant, type Fill } from '../../src/cases/casesFor.ts';
import { columnSquaresOp, expertColumnSquaresOp } from './op.ts';

export const columnSquaresCases = casesFor(columnSquaresOp, {
  shapes: [
    { T: 1, N: 1 },
    { T: 5, N: 33 },
    { T: 70, N: 130 },
  ],
  hard: { 'one huge value': { extents: { T: 9, N: 3 }, fill: { x: constant(1e15, 1, 1, 1, -1) } } },
  benchmark: [{ extents: { T: 512, N: 576 } }],
  reference: ({ x, sums }, { total }, { extents: { T = 0, N = 0 } }) => {
    for (let n = 0; n < N; n++) {
      total.add(n, 0, sums.at(n));
      for (let t = 0; t < T; t++) total.add(n, 0, x.at(t, n) ** 2);
    }
  },
});

/** C of E experts for each token, which read rows of N. */
function shape(T: number, E: number, C: number, N: number) {
  return { T, E, C, N, G: E + 1, B: E * N, Y: C * N };
}

/** Few rows for the first experts, or none, and many for the last. */
const offsets: Fill<string> = ({ extents: { T = 0, C = 0, E = 1 } }) => {
  return (e) => Math.floor(T * C * (e / E) ** 2);
};

export const expertColumnSquaresCases = casesFor(expertColumnSquaresOp, {
  shapes: [shape(1, 1, 1, 1), shape(5, 4, 2, 6), shape(60, 3, 2, 130), shape(1, 8, 3, 33)],
  fill: { offsets },
  hard: {
    'all rows of one expert': { extents: shape(6, 3, 2, 9), fill: { offsets: constant(0, 0, 12, 12) } },
    'no tokens': { extents: shape(0, 3, 2, 5) },
  },
  benchmark: [{ extents: shape(512, 32, 4, 2880) }],
  reference: ({ x, offsets: bounds, sums }, { total }, { extents: { G = 1, B = 0 } }) => {
    const N = B / (G - 1);
    for (let b = 0; b < B; b++) total.add(b, 0, sums.at(b));
    for (let e = 0; e < G - 1; e++)
      for (let row = bounds.at(e); row < bounds.at(e + 1); row++)
        for (let n = 0; n < N; n++) total.add(e * N + n, 0, x.at(0, row * N + n) ** 2);
  },
});
