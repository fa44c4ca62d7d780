import { casesFor } from '../../src/cases/casesFor.ts';
import { roundToBf16 } from '../../src/cases/numbers.ts';
import { roundToBf16Op } from './op.ts';

export const roundToBf16Cases = casesFor(roundToBf16Op, {
  shapes: [{ n: 1 }, { n: 77 }, { n: 40_001 }],
  benchmark: [{ extents: { n: 1_000_000 } }],
  reference: ({ x }, { rounded }, { extents: { n = 0 } }) => {
    for (let i = 0; i < n; i++) rounded.add(i, 0, roundToBf16(x.at(i)));
  },
});
