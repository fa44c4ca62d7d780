import { casesFor } from '../../src/cases/casesFor.ts';
import { zeroOp } from './op.ts';

export const zeroCases = casesFor(zeroOp, {
  shapes: [{ n: 1 }, { n: 77 }, { n: 100_001 }],
  benchmark: [{ extents: { n: 1_000_000 } }],
  reference: () => {
    // The outputs start at zero.
  },
});
