import { expect, test } from 'vitest';
import type { Columns } from '../compare/lines.ts';
import { togetherOf } from './seedLines.ts';

const line = (steps: number[], values: (number | null)[], places = steps) => ({
  steps,
  columns: [places, values, values, values] as Columns,
});

test('curves of several seeds are their mean and a standard deviation to either side', () => {
  const [places, low, high, mean] = togetherOf([line([1, 2], [1, 2], [10, 20]), line([1, 2], [3, 2], [30, 20])]);
  expect(places).toEqual([20, 20]);
  expect(mean).toEqual([2, 2]);
  expect(low).toEqual([2 - Math.SQRT2, 2]);
  expect(high).toEqual([2 + Math.SQRT2, 2]);
});

test('of curves with more points those of the same steps count, and none after a run has ended', () => {
  const fine = line([1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]);
  expect(togetherOf([fine, line([2, 4, 6, 8], [2, 4, 6, 8])])[3]).toEqual([2, 4, 6, null]);
});

test('a value that is not finite is a gap', () => {
  expect(togetherOf([line([1, 2], [1, null]), line([1, 2], [3, 4])])[3]).toEqual([2, null]);
});
