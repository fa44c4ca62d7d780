import { expect, test } from 'vitest';
import { normalQuantile } from './normalQuantile.ts';

test.each([
  [0.5, 0],
  [0.75, 0.6744897501960817],
  [0.95, 1.6448536269514722],
  [0.999, 3.090232306167813],
  [0.9999999, 5.199337582187471],
])('%f of a normal distribution lies below %f', (share, x) => {
  expect(normalQuantile(share)).toBeCloseTo(x, 8);
});
