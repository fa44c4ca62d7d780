/** How long a run will still take: a range, from what its steps took lately. */
import { expect, test } from 'vitest';
import { remainingSeconds } from './remaining.ts';
import { StepTable } from './stepTable.ts';

/** A run whose steps end at these seconds. */
function tableOf(seconds: readonly number[]): StepTable {
  const table = new StepTable('');
  for (const [at, ended] of seconds.entries()) table.add({ step: at + 1 } as never, ended);
  return table;
}

/** The moments at which steps end that take so long, one after the other. */
const ends = (durations: readonly number[]): number[] => {
  let now = 0;
  return durations.map((duration) => (now += duration));
};

test('steps that all take the same leave no doubt', () => {
  expect(remainingSeconds(tableOf(ends(Array(100).fill(2))), 150, 0)).toEqual([100, 100]);
});

test('steps that differ give a range: the faster and the slower quarter of the recent past', () => {
  // Every fourth stretch of 50 steps is three times as slow, as by an evaluation.
  const durations = Array.from({ length: 401 }, (_, step) => (Math.floor(step / 50) % 4 === 3 ? 3 : 1));
  const [from, to] = remainingSeconds(tableOf(ends(durations)), 501, 0) as [number, number];
  expect(from).toBeCloseTo(100, -1);
  expect(to).toBeGreaterThan(2 * from);
});

test('what came before the newest 400 steps, or before this launch, does not count', () => {
  const slowBefore = ends([...Array(200).fill(60), ...Array(401).fill(1)]);
  expect(remainingSeconds(tableOf(slowBefore), 701, 0)).toEqual([100, 100]);
  const afterAPause = ends([...Array(50).fill(60), 100_000, ...Array(30).fill(1)]);
  expect(remainingSeconds(tableOf(afterAPause), 91, 50)).toEqual([10, 10]);
});

test('too few steps say nothing', () => {
  expect(remainingSeconds(tableOf(ends(Array(15).fill(1))), 100, 0)).toBeNull();
  expect(remainingSeconds(tableOf(ends(Array(16).fill(1))), 100, 0)).not.toBeNull();
});
