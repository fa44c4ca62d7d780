import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Accesses, type ByteRange, conflict, launchOrder } from './order.ts';

const range = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 6 }));
const ranges = fc.array(
  range.map(([begin, bytes]): ByteRange => [begin, begin + bytes]),
  { maxLength: 3 },
);
const launches = fc.array(fc.record({ reads: ranges, writes: ranges, isShort: fc.boolean() }), { maxLength: 40 });

/** Whether launch `late` begins only when `early` has ended, by what the orders say. */
function comesAfter(orders: ReturnType<typeof launchOrder>, late: number, early: number): boolean {
  const reached = new Set([late]);
  for (let position = late; position > early; position--) {
    if (!reached.has(position)) continue;
    const { beside, after } = orders[position] as (typeof orders)[number];
    if (after >= 0) reached.add(after);
    const own = orders.findLastIndex((other, i) => i < position && other.beside === beside);
    if (own >= 0) reached.add(own);
  }
  return reached.has(early);
}

test('launches of which one writes what the other reads or writes keep their order', () => {
  fc.assert(
    fc.property(launches, (all) => {
      const orders = launchOrder(all);
      all.forEach((late, i) => {
        all.slice(0, i).forEach((early, j) => {
          if (conflict(late, early)) expect(comesAfter(orders, i, j), `${i} after ${j}`).toBe(true);
        });
      });
    }),
    { numRuns: 300, seed: 5 },
  );
});

const at = (begin: number): ByteRange => [begin, begin + 1];
const launch = (reads: number[], writes: number[], isShort = false): Accesses => {
  return { reads: reads.map(at), writes: writes.map(at), isShort };
};

test('a short launch waits for what it reads, and runs beside the launch between', () => {
  // A norm writes 0; the base product reads it and writes 1, that with A writes 2; that with B reads both.
  const orders = launchOrder([launch([], [0]), launch([0], [1]), launch([0], [2], true), launch([1, 2], [1])]);
  expect(orders).toEqual([
    { beside: false, after: -1 },
    { beside: false, after: -1 },
    { beside: true, after: 0 },
    { beside: false, after: 2 },
  ]);
});

test('bytes that are read and then written by another are waited for as well', () => {
  expect(launchOrder([launch([0], [1], true), launch([], [0])])[1]?.after).toBe(0);
});

test('no launch waits for what its stream has waited for before', () => {
  const orders = launchOrder([launch([], [0]), launch([0], [1], true), launch([0], [2], true), launch([1, 2], [3])]);
  expect(orders.map(({ after }) => after)).toEqual([-1, 0, -1, 2]);
});
