import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { doraNormOp, doraScaleBackwardOp, doraScaleOp } from './op.ts';

const shapes = [
  { T: 1, N: 1 },
  { T: 5, N: 33 },
  { T: 70, N: 130 },
];
/** A row of weights is not near 0. */
const norm = constant(1, 2.5, 0.75, 4, 1.25);

export const doraNormCases = casesFor(doraNormOp, {
  shapes: [
    { N: 1, K: 1, R: 1, P: 1 },
    { N: 5, K: 33, R: 3, P: 3 },
    { N: 70, K: 257, R: 16, P: 16 },
  ],
  attributes: [
    { scale: 2, first: 70, second: 0 },
    { scale: 0.25, first: 70, second: 0 },
  ],
  hard: {
    'two linears, a rank above 64': {
      extents: { N: 70, K: 132, R: 70, P: 140 },
      attributes: { scale: 0.5, first: 23, second: 47 },
    },
    'three linears': { extents: { N: 70, K: 36, R: 4, P: 12 }, attributes: { scale: 2, first: 40, second: 17 } },
    'steps of 32 columns': {
      extents: { N: 70, K: 288, R: 16, P: 48 },
      attributes: { scale: 2, first: 40, second: 17 },
    },
    'steps of 32 columns, a rank of 9': {
      extents: { N: 4200, K: 64, R: 9, P: 18 },
      attributes: { scale: 2, first: 1021, second: 3179 },
    },
    'steps of 32 columns, a rank of 60': {
      extents: { N: 33, K: 544, R: 60, P: 60 },
      attributes: { scale: 0.5, first: 33, second: 0 },
    },
    'steps of 32 columns, a rank of 24': {
      extents: { N: 4096, K: 32, R: 24, P: 24 },
      attributes: { scale: 0.5, first: 4096, second: 0 },
    },
    'many rows': { extents: { N: 4300, K: 8, R: 2, P: 6 }, attributes: { scale: 2, first: 1021, second: 1200 } },
  },
  benchmark: [{ extents: { N: 1536, K: 576, R: 16, P: 16 }, attributes: { scale: 2, first: 1536, second: 0 } }],
  reference: ({ weight, a, b }, outputs, { extents, attributes: { scale, first, second } }) => {
    const { N = 0, K = 0, R = 0 } = extents;
    for (let n = 0; n < N; n++) {
      const row = R * (Number(n >= first) + Number(n >= first + second));
      let squares = 0;
      let size = 0;
      for (let k = 0; k < K; k++) {
        let value = weight.at(n, k);
        let magnitude = Math.abs(value);
        for (let r = 0; r < R; r++) {
          value += scale * b.at(n, r) * a.at(row + r, k);
          magnitude += Math.abs(scale * b.at(n, r) * a.at(row + r, k));
        }
        squares += value ** 2;
        size += 2 * Math.abs(value) * magnitude + value ** 2;
      }
      // The root halves the relative error of what is under it.
      outputs.norm.add(n, 0, Math.sqrt(squares), size / (2 * Math.sqrt(squares)));
    }
  },
});

export const doraScaleCases = casesFor(doraScaleOp, {
  shapes,
  fill: { norm },
  benchmark: [{ extents: { T: 512, N: 576 } }],
  reference: ({ x, magnitude, norm: length, plus }, { y }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        y.add(t, n, (x.at(t, n) * magnitude.at(n, 0)) / length.at(n, 0));
        y.add(t, n, plus.at(t, n));
      }
    }
  },
});

export const doraScaleBackwardCases = casesFor(doraScaleBackwardOp, {
  shapes,
  fill: { norm },
  benchmark: [{ extents: { T: 512, N: 576 } }],
  reference: ({ dy, x, magnitude, norm: length, gradient }, { dx, total }, { extents: { T = 0, N = 0 } }) => {
    for (let n = 0; n < N; n++) {
      total.add(n, 0, gradient.at(n));
      for (let t = 0; t < T; t++) {
        total.add(n, 0, (dy.at(t, n) * x.at(t, n)) / length.at(n, 0));
        dx.add(t, n, (dy.at(t, n) * magnitude.at(n, 0)) / length.at(n, 0));
      }
    }
  },
});
