import { casesFor, type Fill } from '../../src/cases/casesFor.ts';
import { putRowsOp, takeRowsOp } from './op.ts';

/** Distinct, and not in order: V and 7 have no common divisor. */
const rows: Fill<string> = ({ extents: { V = 1 } }) => {
  return (n) => (n * 7 + V - 1) % V;
};
const common = {
  shapes: [
    { V: 1, N: 1, D: 1 },
    { V: 9, N: 4, D: 33 },
    { V: 12, N: 12, D: 64 },
  ],
  fill: { rows },
  benchmark: [{ extents: { V: 49152, N: 128, D: 576 } }],
};

export const takeRowsCases = casesFor(takeRowsOp, {
  ...common,
  reference: ({ from, rows: of }, { taken }, { extents: { N = 0, D = 0 } }) => {
    for (let n = 0; n < N; n++) for (let d = 0; d < D; d++) taken.add(n, d, from.at(of.at(n), d));
  },
});

export const putRowsCases = casesFor(putRowsOp, {
  ...common,
  reference: ({ from, rows: of, into }, { total }, { extents: { V = 0, N = 0, D = 0 } }) => {
    const placed = new Set(Array.from({ length: N }, (_, n) => of.at(n)));
    for (let v = 0; v < V; v++) for (let d = 0; d < D; d++) if (!placed.has(v)) total.add(v, d, into.at(v, d));
    for (let n = 0; n < N; n++) for (let d = 0; d < D; d++) total.add(of.at(n), d, from.at(n, d));
  },
});
