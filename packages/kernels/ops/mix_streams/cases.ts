import { casesFor } from '../../src/cases/casesFor.ts';
import type { Sums, Values } from '../../src/cases/values.ts';
import { mixStreamsBackwardOp, mixStreamsOp } from './op.ts';

function streams(T: number, D: number, inputs: number, outputs: number) {
  const extents = { T, D, M: inputs * outputs, S: (outputs - 1) * D };
  return {
    extents: inputs > 1 ? { ...extents, R: (inputs - 1) * D } : extents,
    attributes: { outputs },
    optional: inputs > 1 ? (['others'] as const) : [],
  };
}

const all = {
  shapes: [],
  hard: {
    'two of one value': streams(1, 1, 1, 2),
    'four of four': streams(5, 33, 4, 4),
    'four of one': streams(7, 72, 1, 4),
    'two of three, long': streams(3, 4104, 3, 2),
    'no token': streams(0, 8, 4, 4),
  },
  benchmark: [streams(512, 2048, 4, 4), streams(512, 2048, 1, 4)],
};

/** Element d of a stream. */
function at(first: Values, others: Values, t: number, stream: number, d: number, D: number): number {
  return stream === 0 ? first.at(t, d) : others.at(t, (stream - 1) * D + d);
}

/** Where it is added to. */
function into(first: Sums, others: Sums, stream: number, d: number, D: number): [sums: Sums, column: number] {
  return stream === 0 ? [first, d] : [others, (stream - 1) * D + d];
}

export const mixStreamsCases = casesFor(mixStreamsOp, {
  ...all,
  reference: (x, y, { extents: { T = 0, D = 0, M = 0 }, attributes: { outputs } }) => {
    const inputs = M / outputs;
    for (let t = 0; t < T; t++) {
      for (let j = 0; j < outputs; j++) {
        for (let d = 0; d < D; d++) {
          const [sums, column] = into(y.yFirst, y.yOthers, j, d, D);
          sums.add(t, column, at(x.first, x.others, t, j % inputs, d, D));
          for (let i = 0; i < inputs; i++)
            sums.add(t, column, x.weights.at(t, j * inputs + i) * at(x.first, x.others, t, i, d, D));
        }
      }
    }
  },
});

export const mixStreamsBackwardCases = casesFor(mixStreamsBackwardOp, {
  ...all,
  reference: (x, y, { extents: { T = 0, D = 0, M = 0 }, attributes: { outputs } }) => {
    const inputs = M / outputs;
    for (let t = 0; t < T; t++) {
      for (let j = 0; j < outputs; j++) {
        for (let d = 0; d < D; d++) {
          const slope = at(x.dyFirst, x.dyOthers, t, j, d, D);
          for (let i = 0; i < inputs; i++) {
            const [sums, column] = into(y.dfirst, y.dothers, i, d, D);
            sums.add(t, column, slope * x.weights.at(t, j * inputs + i));
            if (j % inputs === i) sums.add(t, column, slope);
            y.dweights.add(t, j * inputs + i, slope * at(x.first, x.others, t, i, d, D));
          }
        }
      }
    }
  },
});
