import { casesFor, constant, positives } from '../../src/cases/casesFor.ts';
import { rmsNormBackwardInputOp, rmsNormBackwardWeightOp, rmsNormOp } from './op.ts';

/** C = D for whole rows, less for the norms of heads; G = D / C. */
const shapes = [
  { T: 1, D: 1, C: 1, G: 1 },
  { T: 7, D: 33, C: 33, G: 1 },
  { T: 5, D: 60, C: 20, G: 3 },
  { T: 40, D: 576, C: 576, G: 1 },
  { T: 6, D: 256, C: 64, G: 4 },
];
const benchmark = [
  { T: 512, D: 576, C: 576, G: 1 },
  { T: 512, D: 2048, C: 128, G: 16 },
];

export const rmsNormCases = casesFor(rmsNormOp, {
  shapes,
  attributes: [
    { eps: 1e-5, offset: 0 },
    { eps: 1e-5, offset: 1 },
  ],
  hard: {
    'all zero row': { extents: { T: 2, D: 20, C: 20, G: 1 }, fill: { x: constant(0) } },
    'one huge value': { extents: { T: 3, D: 24, C: 24, G: 1 }, fill: { x: constant(1e15, 1, -1, 1, 1) } },
    'tiny values': { extents: { T: 3, D: 24, C: 24, G: 1 }, fill: { x: constant(1e-18, -2e-18) } },
  },
  benchmark: benchmark.map((extents) => ({ extents, attributes: { eps: 1e-5, offset: 0 } })),
  reference: ({ x, weight }, { y, rstd }, { extents: { T = 0, D = 0, C = 0 }, attributes: { eps, offset } }) => {
    for (let t = 0; t < T; t++) {
      for (let first = 0; first < D; first += C) {
        let square = 0;
        for (let c = 0; c < C; c++) square += x.at(t, first + c) ** 2;
        const r = 1 / Math.sqrt(square / C + eps);
        rstd.add(t, first / C, r);
        for (let c = 0; c < C; c++) y.add(t, first + c, x.at(t, first + c) * r * (weight.at(c) + offset));
      }
    }
  },
});

export const rmsNormBackwardInputCases = casesFor(rmsNormBackwardInputOp, {
  shapes,
  attributes: [{ offset: 0 }, { offset: 1 }],
  fill: { rstd: positives },
  hard: {
    'all zero row': { extents: { T: 2, D: 20, C: 20, G: 1 }, fill: { x: constant(0), rstd: constant(316) } },
  },
  benchmark: benchmark.map((extents) => ({ extents, attributes: { offset: 0 } })),
  reference: ({ dy, x, weight, rstd, c }, { dx }, { extents: { T = 0, D = 0, C = 0 }, attributes: { offset } }) => {
    for (let t = 0; t < T; t++) {
      for (let first = 0; first < D; first += C) {
        const r = rstd.at(t, first / C);
        let product = 0;
        let size = 0;
        for (let i = 0; i < C; i++) {
          const term = dy.at(t, first + i) * (weight.at(i) + offset) * x.at(t, first + i);
          product += term;
          size += Math.abs(term);
        }
        for (let i = 0; i < C; i++) {
          const along = (x.at(t, first + i) * r ** 3) / C;
          dx.add(t, first + i, r * dy.at(t, first + i) * (weight.at(i) + offset));
          dx.add(t, first + i, -along * product, Math.abs(along) * size);
          dx.add(t, first + i, c.at(t, first + i));
        }
      }
    }
  },
});

export const rmsNormBackwardWeightCases = casesFor(rmsNormBackwardWeightOp, {
  shapes,
  fill: { rstd: positives },
  benchmark: benchmark.map((extents) => ({ extents })),
  reference: ({ dy, x, rstd, gradient }, { total }, { extents: { T = 0, D = 0, C = 0 } }) => {
    for (let i = 0; i < C; i++) {
      total.add(i, 0, gradient.at(i));
      for (let t = 0; t < T; t++) {
        for (let first = 0; first < D; first += C)
          total.add(i, 0, dy.at(t, first + i) * x.at(t, first + i) * rstd.at(t, first / C));
      }
    }
  },
});
