import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { softCapBackwardOp, softCapOp } from './op.ts';

export const softCapCases = casesFor(softCapOp, {
  shapes: [
    { T: 1, N: 1 },
    { T: 3, N: 17 },
    { T: 20, N: 577 },
  ],
  attributes: [{ cap: 30 }, { cap: 0.5 }],
  hard: {
    'next to 0': { extents: { T: 2, N: 21 }, fill: { x: scaled(1e-6) } },
    'beyond the cap': { extents: { T: 2, N: 21 }, fill: { x: constant(1e30, -1e30, 31, -29, 400, 0) } },
    'around the cap': { extents: { T: 9, N: 33 }, fill: { x: scaled(30) } },
  },
  benchmark: [{ extents: { T: 16, N: 256_000 }, attributes: { cap: 30 } }],
  reference: ({ x }, { y }, { extents: { T = 0, N = 0 }, attributes: { cap } }) => {
    for (let t = 0; t < T; t++) for (let n = 0; n < N; n++) y.add(t, n, cap * Math.tanh(x.at(t, n) / cap));
  },
});

export const softCapBackwardCases = casesFor(softCapBackwardOp, {
  shapes: [
    { T: 1, N: 1 },
    { T: 3, N: 17 },
    { T: 20, N: 577 },
  ],
  attributes: [{ cap: 30 }],
  hard: {
    'at the cap': { extents: { T: 2, N: 21 }, attributes: { cap: 1 }, fill: { y: constant(1, -1, 0, 0.999) } },
  },
  benchmark: [{ extents: { T: 512, N: 2048 }, attributes: { cap: 1 } }],
  reference: ({ dy, y }, { dx }, { extents: { T = 0, N = 0 }, attributes: { cap } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const share = (y.at(t, n) / cap) ** 2;
        dx.add(t, n, dy.at(t, n) * (1 - share), Math.abs(dy.at(t, n)) * (1 + share));
      }
    }
  },
});
