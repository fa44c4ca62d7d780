import { casesFor, constant, type Fill, normals, positives, scaled } from '../../src/cases/casesFor.ts';
import { integer } from '../../src/cases/numbers.ts';
import type { Values } from '../../src/cases/values.ts';
import { dynamicMap, nearestCode } from './dynamicMap.ts';
import { adamw8bitOp, momentBlock } from './op.ts';

const usual = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
const codes: Fill<never> =
  ({ random }) =>
  () =>
    integer(random, 256);
const steady = {
  m: codes,
  mAbsmax: positives,
  v: codes,
  vAbsmax: positives,
  clip: constant(1),
  learningRate: constant(1e-3),
  step: constant(7),
};
const unmoved = { m: constant(0), mAbsmax: constant(0), v: constant(0), vAbsmax: constant(0) };
const blocks = (b: number) => ({ n: b * momentBlock, b });

const signed = dynamicMap(true);
const unsigned = dynamicMap(false);
const { fround, abs, max } = Math;

/** What the code of element i stood for; every product is rounded, as codes depend on it. */
function decoded(map: Float32Array, moment: Values, absmax: Values, i: number): number {
  return fround((map[moment.at(i)] as number) * absmax.at(Math.floor(i / momentBlock)));
}

/** Blocks below the smallest normal float32 count as zero. */
function inverse(absmax: number): number {
  return absmax >= 2 ** -126 ? fround(1 / absmax) : 0;
}

export const adamw8bitCases = casesFor(adamw8bitOp, {
  shapes: [blocks(1), blocks(3), blocks(79)],
  attributes: [usual, { beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0 }],
  fill: steady,
  hard: {
    'first step': { extents: blocks(2), fill: { ...unmoved, step: constant(1) } },
    'no gradient yet': { extents: blocks(1), fill: { ...unmoved, gradient: constant(0) } },
    'clipped, huge and tiny gradients': {
      extents: blocks(2),
      fill: { clip: constant(0.01), gradient: constant(1e15, -1e15, 1e-15, 1) },
    },
    'a block of denormals': {
      extents: blocks(2),
      fill: {
        ...unmoved,
        gradient:
          ({ random }) =>
          (i) =>
            (i < momentBlock ? 1e-20 : 1) * (random() - 0.5),
      },
    },
    'one large gradient among small ones': {
      extents: blocks(3),
      fill: {
        ...unmoved,
        gradient:
          ({ random }) =>
          (i) =>
            i % momentBlock === 77 ? 1e3 : 10 ** (6 * random() - 4) - 1,
      },
    },
    'late step, large rate': {
      extents: blocks(4),
      fill: { step: constant(100_000), learningRate: constant(0.5), gradient: scaled(3), parameter: normals },
    },
  },
  benchmark: [{ extents: blocks(4096), attributes: usual }],
  reference: (
    { parameter, gradient, m, mAbsmax, v, vAbsmax, clip, learningRate, step },
    { newParameter, newM, newMAbsmax, newV, newVAbsmax },
    { extents: { b = 0 }, attributes: { beta1, beta2, epsilon, weightDecay } },
  ) => {
    const [b1, b2] = [fround(beta1), fround(beta2)];
    const [rest1, rest2] = [fround(1 - b1), fround(1 - b2)];
    const rate = learningRate.at(0);
    const root = Math.sqrt(1 - b2 ** step.at(0));
    const stepSize = (rate * root) / (1 - b1 ** step.at(0));
    for (let block = 0; block < b; block++) {
      const members = Array.from({ length: momentBlock }, (_, j) => {
        const i = block * momentBlock + j;
        const g = fround(gradient.at(i) * clip.at(0));
        const mean = fround(rest1 * g + fround(decoded(signed, m, mAbsmax, i) * b1));
        const square = fround(fround(rest2 * g) * g + fround(decoded(unsigned, v, vAbsmax, i) * b2));
        return { i, mean, square };
      });
      const largestMean = members.reduce((largest, { mean }) => max(largest, abs(mean)), 0);
      const largestSquare = members.reduce((largest, { square }) => max(largest, square), 0);
      newMAbsmax.add(block, 0, largestMean);
      newVAbsmax.add(block, 0, largestSquare);
      for (const { i, mean, square } of members) {
        const move = (stepSize * mean) / (Math.sqrt(square) + root * epsilon);
        newParameter.add(i, 0, parameter.at(i) * (1 - rate * weightDecay));
        newParameter.add(i, 0, -move * (1 - rate * weightDecay));
        newM.add(i, 0, nearestCode(signed, fround(mean * inverse(largestMean))));
        newV.add(i, 0, nearestCode(unsigned, fround(square * inverse(largestSquare))));
      }
    }
  },
});
