import { casesFor, constant, type Fill, normals } from '../../src/cases/casesFor.ts';
import type { Values } from '../../src/cases/values.ts';
import { balanceLossOp, expertBalanceBackwardOp, expertBalanceOp } from './op.ts';

function shape(T: number, E: number, C: number) {
  return { T, E, C, B: 2 * E };
}

const shapes = [shape(1, 1, 1), shape(7, 5, 2), shape(300, 8, 3), shape(40, 130, 6)];
const benchmark = shape(512, 64, 8);

/** The last token only fills the batch up. */
const fill: Readonly<Record<'logits' | 'count', Fill<string>>> = {
  logits: normals,
  count:
    ({ extents: { T = 0 } }) =>
    () =>
      Math.max(1, T - 1),
};

function softmax(logits: Values, t: number, E: number): number[] {
  const row = Array.from({ length: E }, (_, e) => logits.at(t, e));
  const largest = Math.max(...row);
  const powers = row.map((logit) => Math.exp(logit - largest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

export const expertBalanceCases = casesFor(expertBalanceOp, {
  shapes,
  fill: {
    ...fill,
    experts:
      ({ extents: { E = 1 } }) =>
      (i) =>
        (7 * i) % E,
  },
  hard: { 'no token counts': { extents: shape(3, 4, 2), fill: { count: constant(0) } } },
  benchmark: [{ extents: benchmark, optional: [] }],
  reference: ({ logits, experts, count: of, before }, { sums }, { extents: { E = 0, C = 0 }, dtypes }) => {
    const p = Array.from({ length: of.at(0) }, (_, t) => softmax(logits, t, E));
    for (let e = 0; e < E; e++) {
      const [tokens, probability] = dtypes.before ? [before.at(e), before.at(E + e)] : [0, 0];
      const chosen = p.flatMap((_, t) => Array.from({ length: C }, (__, c) => experts.at(t, c))).filter((i) => i === e);
      const own = p.reduce((sum, row) => sum + (row[e] as number), 0);
      sums.add(0, e, tokens + chosen.length);
      sums.add(0, E + e, probability + own, 8 * (own + Math.abs(probability)));
    }
  },
});

export const expertBalanceBackwardCases = casesFor(expertBalanceBackwardOp, {
  shapes,
  fill,
  benchmark: [{ extents: benchmark }],
  reference: ({ dsums, logits, count: of }, { dlogits }, { extents: { T = 0, E = 0 } }) => {
    for (let t = 0; t < T; t++) {
      const p = softmax(logits, t, E);
      const terms = p.map((value, e) => value * dsums.at(E + e));
      const mean = terms.reduce((a, b) => a + b, 0);
      const size = 8 * terms.reduce((a, b) => a + Math.abs(b), 0);
      for (const [e, value] of p.entries()) {
        const gradient = dsums.at(E + e);
        if (t < of.at(0)) dlogits.add(t, e, value * (gradient - mean), 8 * value * (Math.abs(gradient) + size));
        else dlogits.add(t, e, 0);
      }
    }
  },
});

export const balanceLossCases = casesFor(balanceLossOp, {
  shapes: [{ B: 2 }, { B: 10 }, { B: 514 }],
  attributes: [{ layers: 1 }, { layers: 3 }],
  fill: { count: constant(20), sums: () => (i) => 1 + (i % 7) },
  hard: { 'no token counts': { extents: { B: 8 }, fill: { count: constant(0) } } },
  benchmark: [{ extents: { B: 256 }, attributes: { layers: 3 } }],
  reference: ({ sums, count: of, scale, loss }, { total, dsums }, { extents: { B = 0 }, attributes: { layers } }) => {
    const E = B / 2;
    const asked = layers * of.at(0);
    const each = asked === 0 ? 0 : (of.at(0) * E) / asked ** 2;
    let sum = loss.at(0);
    for (let e = 0; e < E; e++) {
      sum += each * sums.at(e) * sums.at(E + e);
      dsums.add(0, e, 0);
      dsums.add(0, E + e, scale.at(0) * each * sums.at(e));
    }
    total.add(0, 0, sum);
  },
});
