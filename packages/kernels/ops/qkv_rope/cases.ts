import { casesFor, constant, positives } from '../../src/cases/casesFor.ts';
import type { Sums, Values } from '../../src/cases/values.ts';
import { qkvRopeBackwardOp, qkvRopeOp } from './op.ts';

function shape(T: number, heads: number, kvHeads: number, size: number, offset = 0) {
  const extents = {
    T,
    W: (heads + 2 * kvHeads) * size,
    D: size,
    P: size / 2,
    Q: heads * size,
    M: kvHeads * size,
    G: heads + kvHeads,
  };
  return { extents, attributes: { heads, kvHeads, eps: 1e-5, offset } };
}

const shapes = {
  'one head': shape(1, 1, 1, 2),
  'odd heads': shape(5, 3, 1, 10),
  'heads of 8': shape(7, 4, 2, 8),
  'heads of 64': shape(9, 3, 3, 64),
  'heads of 128': shape(6, 4, 2, 128),
  'heads of 256': shape(3, 2, 1, 256),
  'weights that say how far they are from 1': shape(4, 3, 2, 24, 1),
};
const benchmark = [shape(512, 9, 3, 64), shape(4096, 16, 8, 128)];

/** Each head that is normed and rotated, and where it lies: in x, and in q or k. */
function* turnedHeads({ heads, kvHeads }: { heads: number; kvHeads: number }, size: number) {
  for (let head = 0; head < heads + kvHeads; head++) {
    const isQuery = head < heads;
    yield { head, from: head * size, to: (isQuery ? head : head - heads) * size, isQuery };
  }
}

/** 1 of norms that are not there. */
const weightAt = (weight: Values, isNormed: boolean, i: number, offset: number): number =>
  isNormed ? weight.at(i) + offset : 1;

export const qkvRopeCases = casesFor(qkvRopeOp, {
  shapes: [],
  hard: {
    ...shapes,
    'a head of zeros': { ...shape(2, 2, 1, 16), fill: { x: constant(0) } },
    'one huge value': { ...shape(2, 2, 1, 16), fill: { x: constant(1e15, 1, -1, 0.5, 2, 1, -3) } },
  },
  benchmark,
  reference: ({ x, qNorm, kNorm, cos, sin }, { q, k, v, rstd }, { extents, attributes, dtypes }) => {
    const { T = 0, P = 0, M = 0, Q = 0 } = extents;
    const isNormed = dtypes.qNorm !== undefined;
    for (let t = 0; t < T; t++) {
      for (const { head, from, to, isQuery } of turnedHeads(attributes, 2 * P)) {
        let square = 0;
        for (let i = 0; i < 2 * P; i++) square += x.at(t, from + i) ** 2;
        const r = isNormed ? 1 / Math.sqrt(square / (2 * P) + attributes.eps) : 1;
        if (isNormed) rstd.add(t, head, r);
        const [weight, out]: [Values, Sums] = isQuery ? [qNorm, q] : [kNorm, k];
        for (let p = 0; p < P; p++) {
          const low = x.at(t, from + p) * r * weightAt(weight, isNormed, p, attributes.offset);
          const high = x.at(t, from + P + p) * r * weightAt(weight, isNormed, P + p, attributes.offset);
          out.add(t, to + p, low * cos.at(t, p));
          out.add(t, to + p, -high * sin.at(t, p));
          out.add(t, to + P + p, high * cos.at(t, p));
          out.add(t, to + P + p, low * sin.at(t, p));
        }
      }
      for (let i = 0; i < M; i++) v.add(t, i, x.at(t, Q + M + i));
    }
  },
});

export const qkvRopeBackwardCases = casesFor(qkvRopeBackwardOp, {
  shapes: [],
  fill: { rstd: positives },
  hard: Object.fromEntries(
    Object.entries(shapes).map(
      ([
        name,
        {
          extents,
          attributes: { heads, kvHeads, offset },
        },
      ]) => [name, { extents, attributes: { heads, kvHeads, offset } }],
    ),
  ),
  benchmark: benchmark.map(({ extents, attributes: { heads, kvHeads, offset } }) => ({
    extents,
    attributes: { heads, kvHeads, offset },
  })),
  reference: ({ dq, dk, dv, cos, sin, x, qNorm, kNorm, rstd }, { dx }, { extents, attributes, dtypes }) => {
    const { T = 0, P = 0, M = 0, Q = 0 } = extents;
    const C = 2 * P;
    const isNormed = dtypes.qNorm !== undefined;
    for (let t = 0; t < T; t++) {
      for (const { head, from, to, isQuery } of turnedHeads(attributes, C)) {
        const [weight, dy] = isQuery ? [qNorm, dq] : [kNorm, dk];
        // Gradient of each normed value times its weight, as the two terms of which it is the sum.
        const terms = Array.from({ length: C }, (_, i) => {
          const [p, other, sign] = i < P ? [i, i + P, 1] : [i - P, i - P, -1];
          const w = weightAt(weight, isNormed, i, attributes.offset);
          return [dy.at(t, to + i) * cos.at(t, p) * w, sign * dy.at(t, to + other) * sin.at(t, p) * w] as const;
        });
        const r = isNormed ? rstd.at(t, head) : 1;
        let product = 0;
        let size = 0;
        for (const [i, [first, second]] of terms.entries()) {
          const value = isNormed ? x.at(t, from + i) : 0;
          product += (first + second) * value;
          size += (Math.abs(first) + Math.abs(second)) * Math.abs(value);
        }
        for (const [i, [first, second]] of terms.entries()) {
          dx.add(t, from + i, r * first);
          dx.add(t, from + i, r * second);
          if (!isNormed) continue;
          const along = (x.at(t, from + i) * r ** 3) / C;
          dx.add(t, from + i, -along * product, Math.abs(along) * size);
        }
      }
      for (let i = 0; i < M; i++) dx.add(t, Q + M + i, dv.at(t, i));
    }
  },
});
