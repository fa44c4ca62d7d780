import { casesFor, constant, idsBelow } from '../../src/cases/casesFor.ts';
import { embeddingBackwardOp, embeddingOp } from './op.ts';

const shapes = [
  { T: 1, V: 1, D: 1 },
  { T: 9, V: 50, D: 17 },
  { T: 64, V: 300, D: 131 },
];

export const embeddingCases = casesFor(embeddingOp, {
  shapes,
  fill: { tokens: idsBelow('V') },
  hard: {
    'first and last id': { extents: { T: 4, V: 7, D: 3 }, fill: { tokens: constant(0, 6, 6, 0) } },
  },
  benchmark: [{ extents: { T: 512, V: 49152, D: 576 } }],
  reference: ({ tokens, weight }, { y }, { extents: { T = 0, D = 0 } }) => {
    for (let t = 0; t < T; t++) for (let d = 0; d < D; d++) y.add(t, d, weight.at(tokens.at(t), d));
  },
});

export const embeddingBackwardCases = casesFor(embeddingBackwardOp, {
  shapes,
  fill: { tokens: idsBelow('V') },
  hard: {
    'one token repeated': { extents: { T: 100, V: 3, D: 5 }, fill: { tokens: constant(1) } },
  },
  benchmark: [{ extents: { T: 512, V: 49152, D: 576 } }],
  reference: ({ tokens, dy, gradient }, { total }, { extents: { T = 0, V = 0, D = 0 } }) => {
    for (let v = 0; v < V; v++) for (let d = 0; d < D; d++) total.add(v, d, gradient.at(v, d));
    for (let t = 0; t < T; t++) for (let d = 0; d < D; d++) total.add(tokens.at(t), d, dy.at(t, d));
  },
});
