import { casesFor, type Fill } from '../../src/cases/casesFor.ts';
import { rowScoresBackwardOp, rowScoresOp } from './op.ts';

/** The last row of each of R equal parts. */
const lastRows: Fill<string> =
  ({ extents: { T = 0, R = 1 } }) =>
  (r) =>
    Math.floor(((r + 1) * T) / R) - 1;

const shapes = [
  { T: 1, D: 1, R: 1 },
  { T: 9, D: 33, R: 4 },
  { T: 70, D: 130, R: 7 },
];
const fill = { rows: lastRows };
const hard = {
  'no rows': { extents: { T: 6, D: 3, R: 0 } },
  'every row': { extents: { T: 6, D: 3, R: 6 } },
};
const benchmark = [{ extents: { T: 4096, D: 576, R: 32 } }];

export const rowScoresCases = casesFor(rowScoresOp, {
  shapes,
  fill,
  hard,
  benchmark,
  reference: ({ x, weight, rows }, { scores }, { extents: { R = 0, D = 0 } }) => {
    for (let r = 0; r < R; r++) for (let d = 0; d < D; d++) scores.add(r, 0, x.at(rows.at(r), d) * weight.at(0, d));
  },
});

export const rowScoresBackwardCases = casesFor(rowScoresBackwardOp, {
  shapes,
  fill,
  hard,
  benchmark,
  reference: ({ x, weight, rows, dscores, gradient }, { dx, gradientTotal }, { extents: { T = 0, R = 0, D = 0 } }) => {
    for (let t = 0; t < T; t++) for (let d = 0; d < D; d++) dx.add(t, d, 0);
    for (let d = 0; d < D; d++) gradientTotal.add(0, d, gradient.at(0, d));
    for (let r = 0; r < R; r++) {
      for (let d = 0; d < D; d++) {
        dx.add(rows.at(r), d, dscores.at(r) * weight.at(0, d));
        gradientTotal.add(0, d, dscores.at(r) * x.at(rows.at(r), d));
      }
    }
  },
});
