import { casesFor, constant } from '../../src/cases/casesFor.ts';
import type { Values } from '../../src/cases/values.ts';
import { gaussianTopBackwardOp, gaussianTopOp } from './op.ts';

const shapes = [
  { T: 1, F: 1 },
  { T: 5, F: 33 },
  { T: 9, F: 136 },
  { T: 3, F: 4104 },
  { T: 0, F: 8 },
];
const published = 1.6448536269514722;
const benchmark = [{ extents: { T: 512, F: 8192 }, attributes: { deviations: published } }];

function statistics(x: Values, t: number, F: number): { mean: number; deviation: number } {
  let mean = 0;
  for (let i = 0; i < F; i++) mean += x.at(t, i) / F;
  let square = 0;
  for (let i = 0; i < F; i++) square += (x.at(t, i) - mean) ** 2 / F;
  return { mean, deviation: Math.sqrt(square) };
}

export const gaussianTopCases = casesFor(gaussianTopOp, {
  shapes,
  attributes: [{ deviations: published }, { deviations: -0.25 }],
  hard: {
    'all equal': { extents: { T: 3, F: 20 }, attributes: { deviations: published }, fill: { x: constant(2) } },
    'one huge value': {
      extents: { T: 3, F: 20 },
      attributes: { deviations: published },
      fill: { x: constant(1e8, 1, -1, 2) },
    },
  },
  benchmark,
  reference: ({ x }, { y }, { extents: { T = 0, F = 0 }, attributes: { deviations } }) => {
    for (let t = 0; t < T; t++) {
      const { mean, deviation } = statistics(x, t, F);
      const cutoff = mean + deviations * deviation;
      const size = Math.abs(mean) + Math.abs(deviations * deviation);
      for (let i = 0; i < F; i++) {
        const value = x.at(t, i) - cutoff;
        y.add(t, i, Math.max(value, 0), Math.abs(x.at(t, i)) + size);
      }
    }
  },
});

export const gaussianTopBackwardCases = casesFor(gaussianTopBackwardOp, {
  shapes,
  attributes: [{ deviations: published }, { deviations: -0.25 }],
  hard: {
    'all equal': { extents: { T: 3, F: 20 }, attributes: { deviations: published }, fill: { x: constant(2) } },
  },
  benchmark,
  reference: ({ dy, x }, { dx }, { extents: { T = 0, F = 0 }, attributes: { deviations } }) => {
    for (let t = 0; t < T; t++) {
      const { mean, deviation } = statistics(x, t, F);
      const cutoff = mean + deviations * deviation;
      let total = 0;
      let size = 0;
      for (let i = 0; i < F; i++) {
        if (x.at(t, i) <= cutoff) continue;
        total += dy.at(t, i);
        size += Math.abs(dy.at(t, i));
      }
      for (let i = 0; i < F; i++) {
        if (x.at(t, i) > cutoff) dx.add(t, i, dy.at(t, i));
        const tilt = deviation > 0 ? (deviations * (x.at(t, i) - mean)) / deviation : 0;
        const tiltSize =
          deviation > 0 ? (Math.abs(deviations) * (Math.abs(x.at(t, i)) + Math.abs(mean))) / deviation : 0;
        dx.add(t, i, (-total * (1 + tilt)) / F, (size * (1 + tiltSize)) / F);
      }
    }
  },
});
