import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { scaleOp } from './op.ts';

export const scaleCases = casesFor(scaleOp, {
  shapes: [
    { T: 1, N: 1 },
    { T: 3, N: 17 },
    { T: 64, N: 577 },
  ],
  attributes: [{ factor: 12 }, { factor: -0.22 }],
  hard: {
    'huge and tiny values': { extents: { T: 2, N: 21 }, fill: { x: constant(1e30, -1e-30, 3, 0) } },
  },
  benchmark: [{ extents: { T: 512, N: 576 }, attributes: { factor: 12 } }],
  reference: ({ x }, { y }, { extents: { T = 0, N = 0 }, attributes: { factor } }) => {
    for (let t = 0; t < T; t++) for (let n = 0; n < N; n++) y.add(t, n, factor * x.at(t, n));
  },
});
