import { expect, it } from 'vitest';
import { loneValues } from './chartOptions.ts';
import { extentOfPoints, type Marker } from './markers.ts';

const point = (step: number, value: number | null): Marker => ({ kind: 'point', step, value, color: 'teal' });
const markers: Marker[] = [
  point(1, 9),
  point(10, 3),
  point(20, null),
  point(30, 2.5),
  { kind: 'tick', step: 15, color: 'good' },
];
it('the axis has room for what is marked in the part that is shown', () => {
  expect(extentOfPoints(markers, [10, 30])).toEqual([2.5, 3]);
  expect(extentOfPoints(markers, [1, 10])).toEqual([3, 9]);
  expect(extentOfPoints(markers, [11, 29])).toBeUndefined();
});

it('a value without neighbors is a point of its own', () => {
  expect(loneValues([1])).toEqual([0]);
  expect(loneValues([1, 2, null, 3, undefined, 4, 5])).toEqual([3]);
  expect(loneValues([])).toEqual([]);
});
