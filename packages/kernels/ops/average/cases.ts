import { casesFor, constant } from '../../src/cases/casesFor.ts';
import { averageOp } from './op.ts';

export const averageCases = casesFor(averageOp, {
  shapes: [{ n: 1 }, { n: 33 }, { n: 40_001 }],
  attributes: [{ decay: 0.5 }, { decay: 0.9999 }],
  fill: { step: constant(7) },
  hard: {
    'first step': { extents: { n: 50 }, fill: { step: constant(1) } },
    'after very many': { extents: { n: 50 }, fill: { step: constant(2_000_000_000) } },
    'nothing changed': { extents: { n: 50 }, fill: { parameter: constant(3), average: constant(3) } },
  },
  benchmark: [{ extents: { n: 1_000_000 }, attributes: { decay: 0.999 } }],
  reference: ({ parameter, average, step }, { newAverage }, { extents: { n = 0 }, attributes: { decay } }) => {
    const share = 1 - Math.min(decay, (1 + step.at(0)) / (10 + step.at(0)));
    for (let i = 0; i < n; i++) {
      newAverage.add(i, 0, average.at(i) * (1 - share));
      newAverage.add(i, 0, share * parameter.at(i));
    }
  },
});
