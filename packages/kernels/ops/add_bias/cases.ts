import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { addBiasBackwardOp, addBiasOp } from './op.ts';

const shapes = [
  { T: 1, N: 1 },
  { T: 5, N: 33 },
  { T: 70, N: 130 },
];

const attributes = [{ factor: 1 }, { factor: -0.75 }];

export const addBiasCases = casesFor(addBiasOp, {
  shapes,
  attributes,
  benchmark: [{ extents: { T: 512, N: 576 }, attributes: { factor: 1 } }],
  reference: ({ x, bias }, { y }, { extents: { T = 0, N = 0 }, attributes: { factor } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        y.add(t, n, x.at(t, n));
        y.add(t, n, factor * bias.at(n));
      }
    }
  },
});

export const addBiasBackwardCases = casesFor(addBiasBackwardOp, {
  shapes,
  attributes,
  hard: {
    'one huge value': { extents: { T: 9, N: 3 }, attributes: { factor: 1 }, fill: { dy: constant(1e15, 1, 1, 1, -1) } },
  },
  benchmark: [{ extents: { T: 512, N: 576 }, attributes: { factor: 1 } }],
  reference: ({ dy, gradient }, { total }, { extents: { T = 0, N = 0 }, attributes: { factor } }) => {
    for (let n = 0; n < N; n++) {
      total.add(n, 0, gradient.at(n));
      for (let t = 0; t < T; t++) total.add(n, 0, factor * dy.at(t, n));
    }
  },
});
