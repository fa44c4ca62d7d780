import { casesFor, constant, idsBelow } from '../../src/cases/casesFor.ts';
import { gatherRowsOp } from './op.ts';

export const gatherRowsCases = casesFor(gatherRowsOp, {
  shapes: [
    { T: 1, N: 1, D: 1 },
    { T: 9, N: 4, D: 33 },
    { T: 5, N: 12, D: 64 },
  ],
  fill: { rows: idsBelow('T') },
  hard: {
    'last row twice': { extents: { T: 6, N: 2, D: 3 }, fill: { rows: constant(5) } },
  },
  benchmark: [{ extents: { T: 512, N: 128, D: 576 } }],
  reference: ({ x, rows }, { y }, { extents: { N = 0, D = 0 } }) => {
    for (let n = 0; n < N; n++) for (let d = 0; d < D; d++) y.add(n, d, x.at(rows.at(n), d));
  },
});
