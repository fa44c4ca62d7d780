import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { align, alignment, type Interval, layOut } from './layout.ts';

const intervals = fc.array(
  fc
    .record({ bytes: fc.integer({ min: 1, max: 5000 }), first: fc.nat(40), length: fc.nat(15) })
    .map(({ bytes, first, length }): Interval => ({ bytes, first, last: first + length })),
  { maxLength: 60 },
);
const runs = { numRuns: 400, seed: 1 };

test('no two intervals that are alive together overlap', () => {
  fc.assert(
    fc.property(intervals, (all) => {
      const { offsets, bytes } = layOut(all);
      for (const a of all) {
        const start = offsets.get(a) as number;
        expect(start % alignment).toBe(0);
        expect(start + a.bytes).toBeLessThanOrEqual(bytes);
        for (const b of all) {
          if (a === b || a.last < b.first || b.last < a.first) continue;
          const other = offsets.get(b) as number;
          expect(start + a.bytes <= other || other + b.bytes <= start).toBe(true);
        }
      }
    }),
    runs,
  );
});

test('the total is near the largest set alive at one time', () => {
  fc.assert(
    fc.property(intervals, (all) => {
      const positions = all.map(({ first }) => first);
      const alive = (at: number) => all.filter(({ first, last }) => first <= at && at <= last);
      const largest = Math.max(
        0,
        ...positions.map((at) => alive(at).reduce((sum, { bytes }) => sum + align(bytes), 0)),
      );
      const { bytes } = layOut(all);
      expect(bytes).toBeGreaterThanOrEqual(largest);
      expect(bytes).toBeLessThanOrEqual(1.5 * largest); // what this heuristic reaches here; it has no such guarantee
    }),
    runs,
  );
});

test('intervals that follow each other share their bytes', () => {
  const all = [0, 1, 2, 3].map((at) => ({ bytes: 100, first: at, last: at }));
  expect(layOut(all).bytes).toBe(align(100));
});

test('the same intervals get the same offsets', () => {
  fc.assert(
    fc.property(intervals, (all) => {
      const copy = all.map((interval) => ({ ...interval }));
      expect([...layOut(copy).offsets.values()]).toEqual([...layOut(all).offsets.values()]);
    }),
    { ...runs, numRuns: 100 },
  );
});
