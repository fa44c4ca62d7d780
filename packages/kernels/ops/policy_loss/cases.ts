import { casesFor, constant, type Fill } from '../../src/cases/casesFor.ts';
import { normal } from '../../src/cases/numbers.ts';
import { policyLossOp } from './op.ts';

/** Kernels and references compute in float64: errors are those of a few float64 operations. */
const inFloat64 = 2 ** -24;

const logProbabilities: Fill<string> = ({ random }) => {
  return () => -0.05 - 3 * random();
};

/** Near the log-probabilities, so that some ratios are clipped and some are not. */
const near: Fill<string> =
  ({ random, made }) =>
  (r) =>
    (made.logps?.at(r) ?? 0) + 0.3 * normal(random);

/** Documents of as many rows each; the last one has what is left. */
const offsets: Fill<string> =
  ({ extents: { R = 0, S = 1 } }) =>
  (d) =>
    d === S - 1 ? R : d * Math.floor(R / Math.max(1, S - 1));

const grpo = { sequence: 0, low: 0.2, high: 0.28, beta: 0.04, correction: 1 };

export const policyLossCases = casesFor(policyLossOp, {
  shapes: [
    { R: 1, S: 2 },
    { R: 40, S: 6 },
    { R: 1003, S: 11 },
  ],
  attributes: [grpo, { ...grpo, correction: 0 }, { ...grpo, sequence: 1 }, { ...grpo, sequence: 1, correction: 0 }],
  fill: {
    logps: logProbabilities,
    old: near,
    reference: near,
    rowOffsets: offsets,
    advantages: constant(0.7, -1.3, 0, 2),
    weights: constant(0.125, 0.5, 0),
  },
  hard: {
    'nothing supervised': { extents: { R: 0, S: 3 } },
    'an answer without a row': { extents: { R: 4, S: 4 }, fill: { rowOffsets: constant(0, 0, 3, 4) } },
    'no divergence': { extents: { R: 40, S: 6 }, attributes: { ...grpo, beta: 0 }, optional: ['old'] },
    'the model itself': { extents: { R: 40, S: 6 }, attributes: grpo, optional: ['reference'] },
  },
  benchmark: [{ extents: { R: 4096, S: 33 }, attributes: grpo }],
  reference: (inputs, { totals, dlogps }, { extents: { S = 0 }, attributes, dtypes }) => {
    const { sequence, low, high, beta, correction } = attributes;
    const add = (i: number, term: number, size: number): void => totals.add(i, 0, term, size * inFloat64);
    for (let i = 0; i < 4; i++) add(i, inputs.sums.at(i), Math.abs(inputs.sums.at(i)));
    for (let d = 0; d + 1 < S; d++) {
      const [begin, end] = [inputs.rowOffsets.at(d), inputs.rowOffsets.at(d + 1)];
      const [weight, advantage] = [inputs.weights.at(d), inputs.advantages.at(d)];
      if (weight === 0) continue;
      const rows = Array.from({ length: end - begin }, (_, i) => {
        const logp = inputs.logps.at(begin + i);
        const q = dtypes.reference ? inputs.reference.at(begin + i) - logp : 0;
        return { logRatio: dtypes.old ? logp - inputs.old.at(begin + i) : 0, q, k: Math.exp(q) - q - 1 };
      });
      const mean = (of: (row: (typeof rows)[number]) => number): number =>
        rows.reduce((sum, row) => sum + of(row), 0) / rows.length;
      for (const [i, { logRatio, q, k }] of rows.entries()) {
        const ratio = Math.exp(sequence ? mean((row) => row.logRatio) : logRatio);
        const clamped = Math.min(Math.max(ratio, 1 - low), 1 + high);
        const factor = correction ? ratio : 1;
        const gain = Math.min(ratio * advantage, clamped * advantage);
        const isClipped = clamped * advantage < ratio * advantage;
        const byRatio = correction ? beta * (sequence ? mean((row) => row.k) : k) : 0;
        const slope = ratio * ((isClipped ? 0 : -advantage) + byRatio) + beta * factor * (1 - Math.exp(q));
        add(0, weight * (beta * k * factor - gain), weight * (Math.abs(gain) + 1));
        add(1, k * factor, 1 + Math.abs(q));
        dlogps.add(begin + i, 0, weight * slope, weight * (Math.abs(slope) + inFloat64));
        if (sequence && i > 0) continue;
        add(2, ratio < 1 - low && advantage < 0 ? 1 : 0, 1);
        add(3, ratio > 1 + high && advantage > 0 ? 1 : 0, 1);
      }
    }
  },
});
