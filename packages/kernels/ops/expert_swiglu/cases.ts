import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { sigmoid } from '../../src/cases/mathematics.ts';
import { type ExpertActivation, expertSwigluBackwardOp, expertSwigluOp, plainSwiglu } from './op.ts';

/** `rows` of gate and up for each token. */
function shape(T: number, rows: number, width: number, activation: ExpertActivation = plainSwiglu) {
  return { extents: { T, W: 2 * rows * width, V: rows * width }, attributes: { width, ...activation } };
}

/** As in gpt-oss, but for a limit that random values reach. */
const clamped = { alpha: 1.702, limit: 1, upOffset: 1 };

const hard = {
  'one value': shape(1, 1, 1),
  'two rows': shape(5, 2, 19),
  'rows of more than a vector': shape(9, 3, 65),
  'gates that saturate': { ...shape(2, 2, 5), fill: { x: constant(1000, -1000, 60, -60, 0) } },
  'wide gates': { ...shape(4, 2, 33), fill: { x: scaled(10) } },
  'no tokens': shape(0, 2, 8),
  clamped: shape(9, 3, 65, clamped),
  'at the limit': { ...shape(2, 2, 3, clamped), fill: { x: constant(1, -1, 0.5) } },
  'clamped far away': { ...shape(4, 2, 33, clamped), fill: { x: scaled(1000) } },
};
const benchmark = [shape(512, 8, 768), shape(512, 4, 2880, { alpha: 1.702, limit: 7, upOffset: 1 })];

const limitOf = ({ limit }: ExpertActivation): number => (limit === 0 ? Infinity : limit);

/** Gate and up as they are multiplied, and the sigmoid. */
function inner(gate: number, up: number, activation: ExpertActivation) {
  const { alpha, upOffset } = activation;
  const limit = limitOf(activation);
  const g = Math.min(gate, limit);
  return { g, u: Math.max(-limit, Math.min(up, limit)) + upOffset, s: sigmoid(alpha * g) };
}

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
  reference: ({ x }, { y }, { extents: { T = 0, V = 0 }, attributes }) => {
    const { width, alpha, upOffset } = attributes;
    forValues(V, T, width, (gate, up, value) => {
      const { g, u, s } = inner(x.at(0, gate), x.at(0, up), attributes);
      y.add(0, value, g * s * u, Math.abs(g * s) * (Math.abs(u - upOffset) + upOffset) * (1 + alpha * Math.abs(g)));
    });
  },
});

export const expertSwigluBackwardCases = casesFor(expertSwigluBackwardOp, {
  shapes: [],
  hard,
  benchmark,
  reference: ({ dy, x }, { dx }, { extents: { T = 0, V = 0 }, attributes }) => {
    const { width, alpha, upOffset } = attributes;
    const limit = limitOf(attributes);
    forValues(V, T, width, (gate, up, value) => {
      const d = dy.at(0, value);
      const { g, u, s } = inner(x.at(0, gate), x.at(0, up), attributes);
      const steep = alpha * Math.abs(g);
      // 1 + αg · (1 - σ): rounding σ, which is at most 1, counts αg times.
      if (x.at(0, gate) <= limit)
        dx.add(
          0,
          gate,
          d * u * s * (1 + alpha * g * (1 - s)),
          Math.abs(d) * (Math.abs(u) + upOffset) * s * (1 + steep),
        );
      if (Math.abs(x.at(0, up)) <= limit) dx.add(0, up, d * g * s, Math.abs(d * g) * s * (1 + steep));
    });
  },
});
