import { casesFor, type Fill } from '../../src/cases/casesFor.ts';
import { integer } from '../../src/cases/numbers.ts';
import { expertCombineBackwardOp, expertCombineOp, expertDispatchOp } from './op.ts';

function shape(T: number, C: number, D: number) {
  return { T, C, D, W: C * D };
}

const shapes = [shape(1, 1, 1), shape(5, 2, 7), shape(40, 3, 33), shape(0, 2, 4)];
const benchmark = [{ extents: shape(512, 8, 2048) }];

/** Each place once, in random order. */
const places: Fill<never> = ({ random, extents: { T = 0, C = 0 } }) => {
  const order = Array.from({ length: T * C }, (_, i) => i);
  for (let i = order.length - 1; i > 0; i--) {
    const j = integer(random, i + 1);
    [order[i], order[j]] = [order[j] as number, order[i] as number];
  }
  return (i) => order[i] as number;
};

export const expertDispatchCases = casesFor(expertDispatchOp, {
  shapes,
  fill: { places },
  benchmark,
  // The flat output is read by rows of D.
  reference: ({ x, places: to }, { y }, { extents: { T = 0, C = 0, D = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let c = 0; c < C; c++) {
        for (let i = 0; i < D; i++) y.add(0, to.at(t, c) * D + i, x.at(t, i));
      }
    }
  },
});

export const expertCombineCases = casesFor(expertCombineOp, {
  shapes,
  fill: { places },
  benchmark,
  hard: {
    'gates without an addend': { extents: shape(6, 2, 20), optional: ['gates'] },
    'an addend without gates': { extents: shape(6, 2, 20), optional: ['c'] },
  },
  reference: (
    { x, places: from, gates, c: addend },
    { y },
    { extents: { T = 0, C = 0, D = 0 }, dtypes: { gates: given } },
  ) => {
    for (let t = 0; t < T; t++) {
      for (let i = 0; i < D; i++) {
        y.add(t, i, addend.at(t, i));
        for (let c = 0; c < C; c++) y.add(t, i, (given ? gates.at(t, c) : 1) * x.at(0, from.at(t, c) * D + i));
      }
    }
  },
});

export const expertCombineBackwardCases = casesFor(expertCombineBackwardOp, {
  shapes,
  fill: { places },
  benchmark,
  reference: ({ dy, x, places: at, gates }, { dx, dgates }, { extents: { T = 0, C = 0, D = 0 } }) => {
    for (let t = 0; t < T; t++) {
      for (let c = 0; c < C; c++) {
        for (let i = 0; i < D; i++) {
          dx.add(0, at.at(t, c) * D + i, gates.at(t, c) * dy.at(t, i));
          dgates.add(t, c, dy.at(t, i) * x.at(0, at.at(t, c) * D + i));
        }
      }
    }
  },
});
