import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { expertSwigluBackwardOp, expertSwigluOp } from './op.ts';

/** `rows` of gate and up for each token. */
function shape(T: number, rows: number, width: number) {
  return { extents: { T, W: 2 * rows * width, V: rows * width }, attributes: { width } };
}

const hard = {
  'one value': shape(1, 1, 1),
  'two rows': shape(5, 2, 19),
  'rows of more than a vector': shape(9, 3, 65),
  'gates that saturate': { ...shape(2, 2, 5), fill: { x: constant(1000, -1000, 60, -60, 0) } },
  'wide gates': { ...shape(4, 2, 33), fill: { x: scaled(10) } },
  'no tokens': shape(0, 2, 8),
};
const benchmark = [shape(512, 8, 768)];

const sigmoid = (z: number): number => 1 / (1 + Math.exp(-z));

/** Calls `each` with the places of gate and up in x, and of their value in y. */
function forValues(V: number, T: number, width: number, each: (gate: number, up: number, value: number) => void): void {
  for (let value = 0; value < T * V; value++) {
    const gate = 2 * Math.floor(value / width) * width + (value % width);
    each(gate, gate + width, value);
  }
}

export const expertSwigluCases = casesFor(expertSwigluOp, {
  shapes: [],
  hard,
  benchmark,
  reference: ({ x }, { y }, { extents: { T = 0, V = 0 }, attributes: { width } }) => {
    forValues(V, T, width, (gate, up, value) => {
      const g = x.at(0, gate);
      y.add(0, value, g * sigmoid(g) * x.at(0, up));
    });
  },
});

export const expertSwigluBackwardCases = casesFor(expertSwigluBackwardOp, {
  shapes: [],
  hard,
  benchmark,
  reference: ({ dy, x }, { dx }, { extents: { T = 0, V = 0 }, attributes: { width } }) => {
    forValues(V, T, width, (gate, up, value) => {
      const [g, u, d] = [x.at(0, gate), x.at(0, up), dy.at(0, value)];
      const s = sigmoid(g);
      // 1 + g · (1 - σ): rounding σ, which is at most 1, counts g times.
      dx.add(0, gate, d * u * s * (1 + g * (1 - s)), Math.abs(d * u) * s * (1 + Math.abs(g)));
      dx.add(0, up, d * g * s);
    });
  },
});
