import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { ropeOp, ropeTableOp } from './op.ts';

export const ropeTableCases = casesFor(ropeTableOp, {
  shapes: [
    { T: 1, P: 1 },
    { T: 20, P: 33 },
  ],
  attributes: [{ scale: 1 }, { scale: 1.25 }],
  fill: {
    positions: () => (i) => i,
    inverse:
      ({ extents: { P = 1 } }) =>
      (p) =>
        10_000 ** (-p / P),
  },
  hard: {
    'far away': { extents: { T: 4, P: 8 }, fill: { positions: constant(131_071, 100_003, 0) } },
  },
  benchmark: [{ extents: { T: 512, P: 32 }, attributes: { scale: 1 } }],
  reference: ({ positions, inverse }, { cos, sin }, { extents: { T = 0, P = 0 }, attributes: { scale } }) => {
    for (let t = 0; t < T; t++) {
      for (let p = 0; p < P; p++) {
        const angle = Math.fround(positions.at(t) * inverse.at(p)); // rounded to float32: part of the definition
        cos.add(t, p, Math.cos(angle) * scale);
        sin.add(t, p, Math.sin(angle) * scale);
      }
    }
  },
});

export const ropeCases = casesFor(ropeOp, {
  shapes: [
    { T: 1, D: 2, P: 1 },
    { T: 7, D: 30, P: 5 },
    { T: 40, D: 576, P: 32 },
  ],
  attributes: [{ direction: 1 }, { direction: -1 }],
  benchmark: [{ extents: { T: 512, D: 576, P: 32 }, attributes: { direction: 1 } }],
  reference: ({ x, cos, sin }, { y }, { extents: { T = 0, D = 0, P = 0 }, attributes: { direction } }) => {
    for (let t = 0; t < T; t++) {
      for (let head = 0; head < D; head += 2 * P) {
        for (let p = 0; p < P; p++) {
          const [low, high] = [x.at(t, head + p), x.at(t, head + P + p)];
          const [c, s] = [cos.at(t, p), direction * sin.at(t, p)];
          y.add(t, head + p, low * c);
          y.add(t, head + p, -high * s);
          y.add(t, head + P + p, high * c);
          y.add(t, head + P + p, low * s);
        }
      }
    }
  },
});
