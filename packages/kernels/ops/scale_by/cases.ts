import { casesFor } from '../../src/cases/casesFor.ts';
import { scaleByOp } from './op.ts';

export const scaleByCases = casesFor(scaleByOp, {
  shapes: [
    { T: 1, N: 1 },
    { T: 3, N: 19 },
    { T: 40, N: 640 },
  ],
  benchmark: [{ extents: { T: 512, N: 1536 } }],
  reference: ({ x, factor }, { y }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++) for (let n = 0; n < N; n++) y.add(t, n, x.at(t, n) * factor.at(0));
  },
});
