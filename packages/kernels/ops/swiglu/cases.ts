import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { swigluBackwardOp, swigluOp } from './op.ts';

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

export const swigluBackwardCases = casesFor(swigluBackwardOp, {
  shapes,
  hard,
  benchmark: [{ extents: { T: 512, N: 1536 } }],
  reference: ({ dy, gate, up }, { dgate, dup }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let n = 0; n < N; n++) {
        const [d, g, u] = [dy.at(t, n), gate.at(t, n), up.at(t, n)];
        const s = sigmoid(g);
        const both = Math.abs(d * u * s) * (1 + Math.abs(g) * (2 - s)); // 1 - s has the absolute error of s
        dgate.add(t, n, d * u * s * (1 + g * (1 - s)), both);
        dup.add(t, n, d * g * s);
      }
    }
  },
});
