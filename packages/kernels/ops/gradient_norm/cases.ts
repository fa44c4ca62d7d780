import { casesFor, constant, positives, scaled } from '../../src/cases/casesFor.ts';
import { clipScaleOp, squareSumOp } from './op.ts';

/** The kernel and the reference sum in float64: errors are below 2^-27 of what they would be in float32. */
const inFloat64 = 2 ** -27;

export const squareSumCases = casesFor(squareSumOp, {
  shapes: [{ n: 1 }, { n: 31 }, { n: 16_384 }, { n: 40_001 }],
  fill: { sum: positives },
  hard: {
    'squares beyond float32': { extents: { n: 30 }, fill: { x: scaled(1e25) } },
    'all zero': { extents: { n: 30 }, fill: { x: constant(0) } },
  },
  benchmark: [{ extents: { n: 1_000_000 } }],
  reference: ({ x, sum }, { total }, { extents: { n = 0 } }) => {
    total.add(0, 0, sum.at(0), sum.at(0) * inFloat64);
    for (let i = 0; i < n; i++) total.add(0, 0, x.at(i) ** 2, x.at(i) ** 2 * inFloat64);
  },
});

export const clipScaleCases = casesFor(clipScaleOp, {
  shapes: [{}],
  attributes: [{ maxNorm: 1 }, { maxNorm: 0 }],
  fill: { sum: constant(9) },
  hard: {
    'below the limit': { extents: {}, attributes: { maxNorm: 1 }, fill: { sum: constant(0.25) } },
    'no gradient': { extents: {}, attributes: { maxNorm: 1 }, fill: { sum: constant(0) } },
    'square beyond float32': { extents: {}, attributes: { maxNorm: 0.5 }, fill: { sum: constant(1e42) } },
  },
  benchmark: [{ extents: {}, attributes: { maxNorm: 1 } }],
  reference: ({ sum }, { norm, scale }, { attributes: { maxNorm } }) => {
    const value = Math.sqrt(sum.at(0));
    norm.add(0, 0, value);
    scale.add(0, 0, maxNorm > 0 ? Math.min(1, maxNorm / (value + 1e-6)) : 1);
  },
});
