import { casesFor, constant, type Fill } from '../../src/cases/casesFor.ts';
import { sigmoid, softplus } from '../../src/cases/mathematics.ts';
import { integer } from '../../src/cases/numbers.ts';
import type { Sums, Values } from '../../src/cases/values.ts';
import { ktoLossOp, logRatioSumOp, pairForms, pairLossOp, sides } from './op.ts';

/** Kernels and references sum in float64: errors are those of a few float64 operations. */
const inFloat64 = 2 ** -24;

/** Rows of a document: the same number for each, an odd one with one row before its answer. */
const rowsEach = ({ R = 0, S = 1 }: { R?: number; S?: number }): number => Math.floor(R / Math.max(1, S - 1));

const logProbabilities: Fill<string> = ({ random }) => {
  return () => -0.05 - 3 * random();
};

/** The last offset is where all rows end; what rows there are beyond equal shares the last document has. */
const offsets: Fill<string> =
  ({ extents }) =>
  (d) =>
    d === (extents.S as number) - 1 ? (extents.R as number) : d * rowsEach(extents);
const answers: Fill<string> =
  ({ extents }) =>
  (d) =>
    d === (extents.S as number) - 1
      ? (extents.R as number)
      : d * rowsEach(extents) + (rowsEach(extents) > 1 ? d % 2 : 0);

/** Documents that have no answer, or are no pair, lie among them. */
const fill = {
  logps: logProbabilities,
  reference: logProbabilities,
  rowOffsets: offsets,
  answerOffsets: answers,
  scale: constant(0.125, 0.5),
};
const pairSides = constant(sides.none, sides.chosen, sides.rejected, sides.chosen, sides.rejected);
const singleSides: Fill<string> =
  ({ random }) =>
  () =>
    integer(random, 3);

interface Answer {
  readonly begin: number;
  readonly answer: number;
  readonly end: number;
  readonly logp: number;
  readonly reference: number;
  readonly before: number;
}

type Inputs = Readonly<Record<'logps' | 'reference' | 'rowOffsets' | 'answerOffsets', Values>>;

function sumOver(values: Values, from: number, to: number): number {
  let total = 0;
  for (let r = from; r < to; r++) total += values.at(r);
  return total;
}

function answerOf({ logps, reference, rowOffsets, answerOffsets }: Inputs, d: number): Answer {
  const [begin, answer, end] = [rowOffsets.at(d), answerOffsets.at(d), rowOffsets.at(d + 1)];
  return {
    begin,
    answer,
    end,
    logp: sumOver(logps, answer, end),
    reference: sumOver(reference, answer, end),
    before: sumOver(logps, begin, answer),
  };
}

function addSums(totals: Sums, terms: readonly number[], size: number): void {
  for (const [i, term] of terms.entries()) totals.add(i, 0, term, (Math.abs(term) + size) * inFloat64);
}

function fillRows(gradients: Sums, from: number, to: number, value: number): void {
  for (let r = from; r < to; r++) gradients.add(r, 0, value);
}

/** z, the derivatives of either answer's value by the log-probability of a token, and the sum of both values. */
function marginOf(
  chosen: Answer,
  rejected: Answer,
  value: number,
  beta: number,
  gamma: number,
): [z: number, up: number, down: number, both: number] {
  const [better, worse] = [chosen, rejected].map(({ logp, reference, answer, end }) => {
    const share = value === 0 ? 1 : 1 / (end - answer);
    const ratio = (logp - reference) * share;
    if (value !== 2) return [ratio, share];
    return [ratio - Math.log(1 - Math.exp(ratio)), share / (1 - Math.exp(ratio))];
  }) as [[number, number], [number, number]];
  return [beta * (better[0] - worse[0]) - gamma, better[1], worse[1], better[0] + worse[0]];
}

const dpo = { form: 0, value: 0, beta: 0.1, gamma: 0, right: 1, wrong: 0, rewardScale: 0.1, meanRewards: 0, center: 0 };

export const pairLossCases = casesFor(pairLossOp, {
  shapes: [
    { R: 2, S: 3 },
    { R: 40, S: 6 },
    { R: 1003, S: 11 },
  ],
  attributes: [
    dpo,
    { ...dpo, right: 0.9, wrong: 0.1 },
    { ...dpo, form: pairForms.hinge, beta: 1 },
    { ...dpo, form: pairForms.square, value: 1, beta: 1, gamma: 0.5 },
    { ...dpo, value: 1, beta: 2, gamma: 0.5, meanRewards: 1 },
    { ...dpo, beta: 1, rewardScale: 1, center: 0.01 },
  ],
  fill: { ...fill, side: pairSides, margins: constant(0.5, -1, 0) },
  hard: {
    'odds (ORPO)': {
      extents: { R: 40, S: 6 },
      attributes: { ...dpo, value: 2, beta: 1, right: 0.1, meanRewards: 1 },
      fill: { side: pairSides },
      optional: [],
    },
    'nothing supervised': { extents: { R: 0, S: 3 }, fill: { side: constant(sides.none) } },
    'margins beyond exp': { extents: { R: 10, S: 6 }, attributes: { ...dpo, beta: 500 } },
    'no likelihood term': { extents: { R: 40, S: 6 }, fill: { scale: constant(0.125, 0) } },
  },
  benchmark: [{ extents: { R: 4096, S: 33 }, attributes: dpo, fill: { side: constant(1, 2) } }],
  reference: (inputs, { totals, dlogps }, { extents: { S = 0 }, attributes }) => {
    const { form, value, beta, gamma, right, wrong, rewardScale, meanRewards, center } = attributes;
    const { side, scale, sums, margins } = inputs;
    for (let i = 0; i < 7; i++) totals.add(i, 0, sums.at(i), Math.abs(sums.at(i)) * inFloat64);
    for (let d = 0; d + 2 < S; d++) {
      if (side.at(d) !== sides.chosen || side.at(d + 1) !== sides.rejected) continue;
      const [chosen, rejected] = [answerOf(inputs, d), answerOf(inputs, d + 1)];
      const [z, up, down, both] = marginOf(chosen, rejected, value, beta, gamma + margins.at(d));
      const losses = [right * softplus(-z) + wrong * softplus(z), Math.max(0, 1 - z), z * z];
      const slopes = [wrong * sigmoid(z) - right * sigmoid(-z), z < 1 ? -1 : 0, 2 * z];
      const [loss, slope] = [losses[form] as number, scale.at(0) * beta * (slopes[form] as number)];
      const pull = scale.at(0) * 2 * center * both;
      const likelihood = scale.at(1);
      const share = ({ answer, end }: Answer): number => (meanRewards && end > answer ? 1 / (end - answer) : 1);
      const rewardOf = (one: Answer): number => rewardScale * share(one) * (one.logp - one.reference);
      const terms = [
        loss + center * both ** 2,
        likelihood === 0 ? 0 : -(chosen.logp + chosen.before),
        rewardOf(chosen),
        rewardOf(rejected),
        rewardOf(chosen) > rewardOf(rejected) ? 1 : 0,
        share(chosen) * chosen.logp,
        share(rejected) * rejected.logp,
      ];
      addSums(totals, terms, Math.abs(z) + both ** 2);
      fillRows(dlogps, chosen.begin, chosen.answer, -likelihood);
      fillRows(dlogps, chosen.answer, chosen.end, (slope + pull) * up - likelihood);
      fillRows(dlogps, rejected.answer, rejected.end, (pull - slope) * down);
    }
  },
});

export const ktoLossCases = casesFor(ktoLossOp, {
  shapes: [
    { R: 1, S: 2 },
    { R: 40, S: 6 },
    { R: 1003, S: 11 },
  ],
  attributes: [
    { beta: 0.1, chosenWeight: 1, rejectedWeight: 1 },
    { beta: 0.5, chosenWeight: 1.33, rejectedWeight: 0.75 },
  ],
  fill: { ...fill, side: singleSides, divergence: constant(3) },
  hard: {
    'a divergence below zero': { extents: { R: 40, S: 6 }, fill: { divergence: constant(-3) } },
    'nothing supervised': { extents: { R: 0, S: 3 }, fill: { side: constant(sides.none) } },
  },
  benchmark: [{ extents: { R: 4096, S: 33 } }],
  reference: (inputs, { totals, dlogps }, { extents: { S = 0 }, attributes }) => {
    const { beta, chosenWeight, rejectedWeight } = attributes;
    const { side, scale, sums, divergence } = inputs;
    const kl = Math.max(0, scale.at(1) * divergence.at(0));
    for (let i = 0; i < 7; i++) totals.add(i, 0, sums.at(i), Math.abs(sums.at(i)) * inFloat64);
    for (let d = 0; d + 1 < S; d++) {
      if (side.at(d) === sides.none) continue;
      const one = answerOf(inputs, d);
      const isChosen = side.at(d) === sides.chosen;
      const [sign, weight] = isChosen ? [1, chosenWeight] : [-1, rejectedWeight];
      const ratio = one.logp - one.reference;
      const rest = sigmoid(-sign * beta * (ratio - kl));
      const only = (chosen: boolean, value: number): number => (chosen === isChosen ? value : 0);
      const [reward, logp] = [beta * ratio, one.logp];
      const terms = [weight * rest, 0, only(true, reward), only(false, reward), 0, only(true, logp), only(false, logp)];
      addSums(totals, terms, Math.abs(ratio));
      fillRows(dlogps, one.answer, one.end, -scale.at(0) * sign * weight * beta * rest * (1 - rest));
    }
  },
});

export const logRatioSumCases = casesFor(logRatioSumOp, {
  shapes: [{ R: 1 }, { R: 33 }, { R: 1003 }],
  hard: { 'no rows': { extents: { R: 0 } } },
  benchmark: [{ extents: { R: 4096 } }],
  reference: ({ logps, reference, sum }, { total }, { extents: { R = 0 } }) => {
    const add = (term: number) => total.add(0, 0, term, Math.abs(term) * inFloat64);
    add(sum.at(0));
    for (let r = 0; r < R; r++) add(logps.at(r) - reference.at(r));
  },
});
