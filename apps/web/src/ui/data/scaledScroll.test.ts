import { expect, test } from 'vitest';
import { scrollGeometry } from './scaledScroll.ts';

const sizes = [0, 1, 25, 1000, 229_000, 958_697, 10_000_000, 2 ** 32];

test.each(sizes)('of %i rows the first and the last are reached, and every place has its way back', (rows) => {
  const geometry = scrollGeometry(rows, 34, 700);
  expect(geometry.height).toBeLessThanOrEqual(8_000_000);
  expect(geometry.positionOf(0)).toBe(0);
  const end = Math.max(0, geometry.height - 700);
  expect(geometry.positionOf(end)).toBeCloseTo(geometry.last, 3);
  // The last row ends at the lower edge.
  expect(geometry.last + Math.min(700 / 34, rows)).toBeCloseTo(rows, 3);
  let before = -1;
  for (let step = 0; step <= 1000; step++) {
    const position = (geometry.last * step) / 1000;
    const top = geometry.topOf(position);
    expect(top).toBeGreaterThanOrEqual(before);
    expect(top).toBeLessThanOrEqual(end);
    expect(Math.abs(geometry.positionOf(top) - position)).toBeLessThan(1e-6 * Math.max(1, rows));
    before = top;
  }
});

test('near both ends of a long list a pixel is a pixel', () => {
  const geometry = scrollGeometry(10_000_000, 34, 700);
  expect(geometry.positionOf(34)).toBe(1);
  expect(geometry.positionOf(geometry.height - 700 - 34)).toBeCloseTo(geometry.last - 1, 6);
});

test('what fits is not scrolled', () => {
  expect(scrollGeometry(5, 34, 700)).toMatchObject({ height: 170, last: 0 });
});
