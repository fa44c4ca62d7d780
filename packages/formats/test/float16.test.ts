import { expect, test } from 'vitest';
import { bfloat16ToFloat32, HALF_VALUES } from '../src/float16.ts';

test('decodes all 65,536 halves: sign, five bits of exponent, ten of fraction', () => {
  const values = Array.from({ length: 65_536 }, (_, bits) => {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN;
    return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
  });
  expect(Array.from(HALF_VALUES)).toEqual(values);
});

test('a bfloat16 is the upper half of a float32, for all patterns', () => {
  const bits = new Uint32Array(bfloat16ToFloat32(Uint16Array.from({ length: 65_536 }, (_, half) => half)).buffer);
  expect(bits.every((value, pattern) => value === (pattern << 16) >>> 0)).toBe(true);
});
