import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { swigluBackwardOp, swigluMergedBackwardOp, swigluMergedOp, swigluOp } from './op.ts';

const shapes = [
  { T: 1, N: 1 },
  { T: 3, N: 19 },
  { T: 40, N: 257 },
];
const hard = {
  'gates that saturate': { extents: { T: 2, N: 20 }, fill: { gate: constant(1000, -1000, 60, -60, 0) } },
  'wide gates': { extents: { T: 4, N: 33 }, fill: { gate: scaled(10) } },
};
const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

export const swigluCases = casesFor(swigluOp, {
  shapes,
  hard,
  benchmark: [{ extents: { T: 512, N: 1536 } }],
  reference: ({ gate, up }, { y }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++)
      for (let n = 0; n < N; n++) y.add(t, n, gate.at(t, n) * sigmoid(gate.at(t, n)) * up.at(t, n));
  },
});

/** dgate and dup, and what dgate's rounding errors are measured by. */
function slopes(d: number, g: number, u: number): { dgate: number; size: number; dup: number } {
  const s = sigmoid(g);
  return {
    dgate: d * u * s * (1 + g * (1 - s)),
    size: Math.abs(d * u * s) * (1 + Math.abs(g) * (2 - s)), // 1 - s has the absolute error of s
    dup: d * g * s,
  };
}

export const swigluBackwardCases = casesFor(swigluBackwardOp, {
  shapes,
  hard,
  benchmark: [{ extents: { T: 512, N: 1536 } }],
  reference: ({ dy, gate, up }, { dgate, dup }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const of = slopes(dy.at(t, n), gate.at(t, n), up.at(t, n));
        dgate.add(t, n, of.dgate, of.size);
        dup.add(t, n, of.dup);
      }
    }
  },
});

const merged = {
  shapes: [...shapes, { T: 33, N: 256 }].map(({ T, N }) => ({ T, N, M: 2 * N })),
  hard: {
    'gates that saturate': { extents: { T: 2, N: 20, M: 40 }, fill: { x: constant(1000, -1000, 60, -60, 0, 1, 2) } },
    'wide gates': { extents: { T: 4, N: 33, M: 66 }, fill: { x: scaled(10) } },
  },
  benchmark: [{ extents: { T: 512, N: 1536, M: 3072 } }],
};

export const swigluMergedCases = casesFor(swigluMergedOp, {
  ...merged,
  reference: ({ x }, { y }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++)
      for (let n = 0; n < N; n++) y.add(t, n, x.at(t, n) * sigmoid(x.at(t, n)) * x.at(t, N + n));
  },
});

export const swigluMergedBackwardCases = casesFor(swigluMergedBackwardOp, {
  ...merged,
  reference: ({ dy, x }, { dx }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const of = slopes(dy.at(t, n), x.at(t, n), x.at(t, N + n));
        dx.add(t, n, of.dgate, of.size);
        dx.add(t, N + n, of.dup);
      }
    }
  },
});
