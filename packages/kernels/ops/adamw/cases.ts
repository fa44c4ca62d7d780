import { casesFor, constant, normals, positives, scaled } from '../../src/cases/casesFor.ts';
import { adamwOp } from './op.ts';

const usual = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
const steady = { clip: constant(1), learningRate: constant(1e-3), step: constant(7), v: positives };

export const adamwCases = casesFor(adamwOp, {
  shapes: [{ n: 1 }, { n: 33 }, { n: 20_001 }],
  attributes: [usual, { beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0 }],
  fill: steady,
  hard: {
    'first step': {
      extents: { n: 50 },
      fill: { ...steady, step: constant(1), m: constant(0), v: constant(0) },
    },
    'no gradient yet': {
      extents: { n: 9 },
      fill: { ...steady, gradient: constant(0), m: constant(0), v: constant(0) },
    },
    'clipped, huge and tiny gradients': {
      extents: { n: 12 },
      fill: { ...steady, clip: constant(0.01), gradient: constant(1e15, -1e15, 1e-15, 1), m: normals },
    },
    'late step, large rate': {
      extents: { n: 100 },
      fill: { ...steady, step: constant(100_000), learningRate: constant(0.5), gradient: scaled(3) },
    },
  },
  benchmark: [{ extents: { n: 1_000_000 }, attributes: usual }],
  reference: (
    { parameter, gradient, m, v, clip, learningRate, step },
    { newParameter, newM, newV },
    { extents: { n = 0 }, attributes: { beta1, beta2, epsilon, weightDecay } },
  ) => {
    const rate = learningRate.at(0);
    const stepSize = rate / (1 - beta1 ** step.at(0));
    const rootCorrection = Math.sqrt(1 - beta2 ** step.at(0));
    for (let i = 0; i < n; i++) {
      const g = gradient.at(i) * clip.at(0);
      const mean = beta1 * m.at(i) + (1 - beta1) * g;
      const square = beta2 * v.at(i) + (1 - beta2) * g * g;
      newM.add(i, 0, beta1 * m.at(i));
      newM.add(i, 0, (1 - beta1) * g);
      newV.add(i, 0, square);
      const denominator = Math.sqrt(square) / rootCorrection + epsilon;
      const meanSize = Math.abs(beta1 * m.at(i)) + Math.abs((1 - beta1) * g);
      newParameter.add(i, 0, parameter.at(i) * (1 - rate * weightDecay));
      newParameter.add(i, 0, (-stepSize * mean) / denominator, (stepSize * meanSize) / denominator);
    }
  },
});
