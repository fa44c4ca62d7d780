import { casesFor } from '../../src/cases/casesFor.ts';
import { asyncCopyOp, awaitCopyOp } from './op.ts';

const shapes = [
  { T: 1, N: 1 },
  { T: 7, N: 77 },
  { T: 300, N: 512 },
];
const attributes = [{ ticket: 0 }];
const benchmark = [{ extents: { T: 512, N: 4096 } }];

export const asyncCopyCases = casesFor(asyncCopyOp, {
  shapes,
  attributes,
  benchmark,
  reference: ({ x }, { y }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++) for (let n = 0; n < N; n++) y.add(t, n, x.at(t, n));
  },
});

export const awaitCopyCases = casesFor(awaitCopyOp, {
  shapes,
  attributes,
  benchmark,
  reference: ({ x }, { y }, { extents: { T = 0, N = 0 } }) => {
    for (let t = 0; t < T; t++) for (let n = 0; n < N; n++) y.add(t, n, x.at(t, n));
  },
});
