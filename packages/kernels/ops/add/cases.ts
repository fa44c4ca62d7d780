import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { addOp } from './op.ts';

export const addCases = casesFor(addOp, {
  shapes: [
    { T: 1, N: 1 },
    { T: 3, N: 17 },
    { T: 64, N: 577 },
  ],
  hard: {
    'cancels out': { extents: { T: 2, N: 21 }, fill: { a: constant(1e20, -3, 5), b: constant(-1e20, 3, 1e-9) } },
  },
  benchmark: [{ extents: { T: 512, N: 576 } }],
  reference: ({ a, b }, { y }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        y.add(t, n, a.at(t, n));
        y.add(t, n, b.at(t, n));
      }
    }
  },
});
