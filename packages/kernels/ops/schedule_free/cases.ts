import { casesFor, constant, positives, scaled } from '../../src/cases/casesFor.ts';
import { scheduleFreeAdamwOp, scheduleFreeMixOp } from './op.ts';

export const scheduleFreeMixCases = casesFor(scheduleFreeMixOp, {
  shapes: [{}],
  fill: { state: constant(0.5, 0.25), learningRate: constant(0.125) },
  hard: {
    'a larger rate than before': { extents: {}, fill: { state: constant(0.5, 0.25), learningRate: constant(2) } },
    'first step': { extents: {}, fill: { state: constant(0), learningRate: constant(0.5) } },
    'first step, of rate 0': { extents: {}, fill: { state: constant(0), learningRate: constant(0) } },
  },
  benchmark: [{ extents: {} }],
  reference: ({ state, learningRate }, { newState, mix }) => {
    const largest = Math.max(state.at(1), learningRate.at(0));
    const sum = state.at(0) + largest ** 2;
    newState.add(0, 0, sum);
    newState.add(1, 0, largest);
    mix.add(0, 0, sum > 0 ? largest ** 2 / sum : 0);
  },
});

const usual = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };
const steady = {
  clip: constant(1),
  learningRate: constant(1e-3),
  step: constant(7),
  mix: constant(0.2),
  v: positives,
};

export const scheduleFreeAdamwCases = casesFor(scheduleFreeAdamwOp, {
  shapes: [{ n: 1 }, { n: 33 }, { n: 20_001 }],
  attributes: [usual, { beta1: 0.8, beta2: 0.95, epsilon: 1e-6, weightDecay: 0 }],
  fill: steady,
  hard: {
    'first step': { extents: { n: 50 }, fill: { ...steady, step: constant(1), mix: constant(1), v: constant(0) } },
    'no gradient yet': { extents: { n: 9 }, fill: { ...steady, gradient: constant(0), v: constant(0) } },
    'clipped, huge gradients': {
      extents: { n: 12 },
      fill: { ...steady, clip: constant(0.01), gradient: constant(1e15, -1e15, 1) },
    },
    'late step, large rate': {
      extents: { n: 100 },
      fill: { ...steady, step: constant(100_000), learningRate: constant(0.5), gradient: scaled(3) },
    },
  },
  benchmark: [{ extents: { n: 1_000_000 }, attributes: usual }],
  reference: (
    { parameter, gradient, z, x, v, mix, clip, learningRate, step },
    { newParameter, newZ, newX, newV },
    { extents: { n = 0 }, attributes: { beta1, beta2, epsilon, weightDecay } },
  ) => {
    const rootCorrection = Math.sqrt(1 - beta2 ** step.at(0));
    for (let i = 0; i < n; i++) {
      const g = gradient.at(i) * clip.at(0);
      const square = beta2 * v.at(i) + (1 - beta2) * g * g;
      newV.add(i, 0, square);
      const terms = [
        z.at(i),
        (-learningRate.at(0) * g) / (Math.sqrt(square) / rootCorrection + epsilon),
        -learningRate.at(0) * weightDecay * parameter.at(i),
      ];
      const fromZ = 1 - beta1 + beta1 * mix.at(0);
      for (const term of terms) {
        newZ.add(i, 0, term);
        newX.add(i, 0, mix.at(0) * term);
        newParameter.add(i, 0, fromZ * term);
      }
      newX.add(i, 0, (1 - mix.at(0)) * x.at(i));
      newParameter.add(i, 0, beta1 * (1 - mix.at(0)) * x.at(i));
    }
  },
});
