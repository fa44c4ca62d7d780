import { casesFor } from '../../src/cases/casesFor.ts';
import { adaptedMatrixBackwardOp, adaptedMatrixOp } from './op.ts';

const common = {
  shapes: [
    { N: 1, K: 1, R: 1 },
    { N: 9, K: 33, R: 4 },
    { N: 70, K: 64, R: 16 },
  ],
  attributes: [{ scale: 0.7 }],
  benchmark: [{ extents: { N: 49152, K: 576, R: 16 }, attributes: { scale: 2 } }],
};

export const adaptedMatrixCases = casesFor(adaptedMatrixOp, {
  ...common,
  reference: ({ weight, a, b }, { adapted }, { extents: { N = 0, K = 0, R = 0 }, attributes: { scale } }) => {
    for (let n = 0; n < N; n++)
      for (let k = 0; k < K; k++) {
        adapted.add(n, k, weight.at(n, k));
        for (let r = 0; r < R; r++) adapted.add(n, k, scale * b.at(n, r) * a.at(r, k));
      }
  },
});

export const adaptedMatrixBackwardCases = casesFor(adaptedMatrixBackwardOp, {
  ...common,
  reference: (inputs, { aTotal, bTotal }, { extents: { N = 0, K = 0, R = 0 }, attributes: { scale } }) => {
    const { gradient, a, b, aGradient, bGradient } = inputs;
    for (let r = 0; r < R; r++) for (let k = 0; k < K; k++) aTotal.add(r, k, aGradient.at(r, k));
    for (let n = 0; n < N; n++) for (let r = 0; r < R; r++) bTotal.add(n, r, bGradient.at(n, r));
    for (let n = 0; n < N; n++)
      for (let r = 0; r < R; r++)
        for (let k = 0; k < K; k++) {
          aTotal.add(r, k, scale * b.at(n, r) * gradient.at(n, k));
          bTotal.add(n, r, scale * gradient.at(n, k) * a.at(r, k));
        }
  },
});
