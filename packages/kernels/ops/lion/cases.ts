import { casesFor, constant, scaled } from '../../src/cases/casesFor.ts';
import { lionOp } from './op.ts';

const usual = { beta1: 0.9, beta2: 0.99, weightDecay: 0.01 };
const steady = { clip: constant(1), learningRate: constant(1e-3) };

export const lionCases = casesFor(lionOp, {
  shapes: [{ n: 1 }, { n: 33 }, { n: 20_001 }],
  attributes: [usual, { beta1: 0.95, beta2: 0.98, weightDecay: 0 }],
  fill: steady,
  hard: {
    'first step': { extents: { n: 50 }, fill: { ...steady, m: constant(0) } },
    'no gradient yet': { extents: { n: 9 }, fill: { ...steady, gradient: constant(0), m: constant(0) } },
    'clipped, huge and tiny gradients': {
      extents: { n: 12 },
      fill: { ...steady, clip: constant(0.01), gradient: constant(1e15, -1e15, 1e-15, -1e-30), m: constant(0) },
    },
    'large rate': {
      extents: { n: 100 },
      fill: { ...steady, learningRate: constant(0.5), gradient: scaled(3) },
    },
  },
  benchmark: [{ extents: { n: 1_000_000 }, attributes: usual }],
  reference: (
    { parameter, gradient, m, clip, learningRate },
    { newParameter, newM },
    { extents: { n = 0 }, attributes: { beta1, beta2, weightDecay } },
  ) => {
    const rate = learningRate.at(0);
    for (let i = 0; i < n; i++) {
      const g = gradient.at(i) * clip.at(0);
      newM.add(i, 0, beta2 * m.at(i));
      newM.add(i, 0, (1 - beta2) * g);
      newParameter.add(i, 0, parameter.at(i) * (1 - rate * weightDecay));
      newParameter.add(i, 0, -rate * Math.sign(beta1 * m.at(i) + (1 - beta1) * g));
    }
  },
});
