import { casesFor, constant, type Fill } from '../../src/cases/casesFor.ts';
import { expertScaleGatesBackwardOp, expertScaleGatesOp } from './op.ts';

/** Experts of a token differ; which they are does not matter. */
const experts: Fill<string> = ({ extents: { C = 1, E = 1 } }) => {
  return (i) => (3 * Math.floor(i / C) + (i % C)) % E;
};

const common = {
  shapes: [
    { T: 1, C: 1, E: 1 },
    { T: 7, C: 3, E: 5 },
    { T: 300, C: 4, E: 33 },
  ],
  fill: { experts },
  hard: {
    'all to one expert': { extents: { T: 6, C: 1, E: 4 }, fill: { experts: constant(2) } },
    'no tokens': { extents: { T: 0, C: 2, E: 4 } },
  },
  benchmark: [{ extents: { T: 512, C: 8, E: 128 } }],
};

export const expertScaleGatesCases = casesFor(expertScaleGatesOp, {
  ...common,
  reference: ({ gates, experts: chosen, scale }, { scaled }, { extents: { T = 0, C = 0 } }) => {
    for (let t = 0; t < T; t++)
      for (let c = 0; c < C; c++) scaled.add(t, c, gates.at(t, c) * scale.at(chosen.at(t, c)));
  },
});

export const expertScaleGatesBackwardCases = casesFor(expertScaleGatesBackwardOp, {
  ...common,
  reference: ({ dscaled, gates, experts: chosen, gradient }, { total }, { extents: { T = 0, C = 0, E = 0 } }) => {
    for (let e = 0; e < E; e++) total.add(e, 0, gradient.at(e));
    for (let t = 0; t < T; t++)
      for (let c = 0; c < C; c++) total.add(chosen.at(t, c), 0, dscaled.at(t, c) * gates.at(t, c));
  },
});
