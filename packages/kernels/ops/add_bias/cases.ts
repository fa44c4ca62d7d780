import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { addBiasBackwardOp, addBiasOp } from './op.ts';

const shapes = [
  { T: 1, N: 1 },
  { T: 5, N: 33 },
  { T: 70, N: 130 },
];

export const addBiasCases = casesFor(addBiasOp, {
  shapes,
  benchmark: [{ extents: { T: 512, N: 576 } }],
  reference: ({ x, bias }, { y }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        y.add(t, n, x.at(t, n));
        y.add(t, n, bias.at(n));
      }
    }
  },
});

export const addBiasBackwardCases = casesFor(addBiasBackwardOp, {
  shapes,
  hard: { 'one huge value': { extents: { T: 9, N: 3 }, fill: { dy: constant(1e15, 1, 1, 1, -1) } } },
  benchmark: [{ extents: { T: 512, N: 576 } }],
  reference: ({ dy, gradient }, { total }, { extents: { T = 0, N = 0 } }) => {
    for (let n = 0; n < N; n++) {
      total.add(n, 0, gradient.at(n));
      for (let t = 0; t < T; t++) total.add(n, 0, dy.at(t, n));
    }
  },
});
