import { describe, expect, test } from 'vitest';
import {
  activationDifference,
  gradientDifference,
  maxDifference,
  mismatches,
  nmse,
  quantity,
  relativeDifference,
} from './quantity.ts';

const reference = Float32Array.from({ length: 64 }, (_, i) => Math.sin(i + 1));
const zeroed = new Float32Array(64);
const one = reference.map((value, i) => (i === 17 ? value * 1.01 : value));
const notANumber = reference.map((value, i) => (i === 63 ? Number.NaN : value));

describe.each<[string, (values: Float32Array) => readonly { passed: boolean }[]]>([
  ['hidden states and logits', (values) => activationDifference('x', values, reference, 1e-4)],
  ['gradients', (values) => gradientDifference('x', values, reference)],
  ['curves', (values) => [relativeDifference('x', values, reference, 1e-4)]],
  ['token ids', (values) => [mismatches('x', values, reference)]],
])('%s', (_, compare) => {
  const passes = (values: Float32Array) => compare(values).every(({ passed }) => passed);

  test('pass when equal, not when zeroed, one value 1 % off, not a number, shorter, longer or empty', () => {
    expect(passes(reference)).toBe(true);
    expect(passes(zeroed)).toBe(false);
    expect(passes(one)).toBe(false);
    expect(passes(notANumber)).toBe(false);
    expect(passes(reference.subarray(1))).toBe(false);
    expect(passes(Float32Array.of(...reference, 0))).toBe(false);
    expect(passes(new Float32Array())).toBe(false);
  });
});

test('errors are in the unit of the metric', () => {
  const ours = [1, 2.5, 4];
  const theirs = [1, 2, 5];
  expect(maxDifference('x', ours, theirs, 1)).toMatchObject({ error: 1, passed: true });
  expect(relativeDifference('x', ours, theirs, 0.1)).toMatchObject({ error: 0.25, passed: false });
  expect(nmse('x', ours, theirs, 1)).toMatchObject({ error: (0.25 + 1) / 30 });
  expect(mismatches('x', ours, theirs)).toMatchObject({ error: 2, tolerance: 0 });
  expect(gradientDifference('x', ours, theirs)[1]).toMatchObject({ metric: 'peak', error: 1 / 5 });
});

test('a gradient that rounding has left of 0 is compared by its size', () => {
  const noise = zeroed.map((_, i) => (i % 2 ? 1e-9 : -2e-9));
  const passes = (values: ArrayLike<number>) => gradientDifference('x', values, noise).every(({ passed }) => passed);
  expect(passes(zeroed)).toBe(true);
  expect(passes(reference)).toBe(false);
  expect(passes(zeroed.map((_, i) => (i === 5 ? 1e-6 : 0)))).toBe(false);
  expect(passes(notANumber)).toBe(false);
});

test('nothing to compare, and a reference of zeros, do not pass unseen', () => {
  expect(maxDifference('x', [], [], 1).passed).toBe(false);
  expect(nmse('x', [0, 0], [0, 0], 1).passed).toBe(false);
  expect(quantity('x', 'max', Number.NaN, 1).passed).toBe(false);
  expect(relativeDifference('x', [0, 1e-9], [0, 0], 1).passed).toBe(false);
});
