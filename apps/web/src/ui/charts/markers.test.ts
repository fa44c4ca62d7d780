import { expect, it } from 'vitest';
import { extentOfPoints, type Marker } from './markers.ts';

const point = (step: number, value: number | null): Marker => ({ kind: 'point', step, value, color: 'teal' });
const markers: Marker[] = [
  point(1, 9),
  point(10, 3),
  point(20, null),
  point(30, 2.5),
  { kind: 'tick', step: 15, color: 'good' },
];
const place = (step: number) => step;

it('the axis has room for what is marked in the part that is shown', () => {
  expect(extentOfPoints(markers, place, [10, 30])).toEqual([2.5, 3]);
  expect(extentOfPoints(markers, place, [1, 10])).toEqual([3, 9]);
  expect(extentOfPoints(markers, place, [11, 29])).toBeUndefined();
});
