import { casesFor } from '../../src/cases/casesFor.ts';
import { exchangeOp } from './op.ts';

export const exchangeCases = casesFor(exchangeOp, {
  shapes: [{ n: 1 }, { n: 33 }, { n: 40_001 }],
  benchmark: [{ extents: { n: 1_000_000 } }],
  reference: ({ a, b }, { newA, newB }, { extents: { n = 0 } }) => {
    for (let i = 0; i < n; i++) {
      newA.add(i, 0, b.at(i));
      newB.add(i, 0, a.at(i));
    }
  },
});
