import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  bfloat16ToFloat32,
  float16ToFloat32,
  float32ToBfloat16,
  float32ToFloat16,
  HALF_VALUES,
  toHalf,
} from '../src/float16.ts';

/** The engine's own conversions, an implementation independent of ours (types: lib.esnext). */
const engine = globalThis as unknown as {
  Float16Array: new (buffer: ArrayBuffer) => ArrayLike<number>;
};
const f16round = (Math as unknown as { f16round(value: number): number }).f16round;

const allPatterns = Uint16Array.from({ length: 65_536 }, (_, bits) => bits);
const float32FromBits = (bits: number) => new Float32Array(Uint32Array.of(bits).buffer);
const anyBits = fc.integer({ min: 0, max: 0xffffffff });

describe('float16', () => {
  it('decodes all 65,536 patterns as the engine does', () => {
    expect(Array.from(float16ToFloat32(allPatterns))).toEqual(Array.from(new engine.Float16Array(allPatterns.buffer)));
  });

  it('encodes every half back to its own pattern', () => {
    const patterns = allPatterns.filter((bits) => !Number.isNaN(HALF_VALUES[bits]));
    expect(float32ToFloat16(float16ToFloat32(patterns))).toEqual(patterns);
  });

  it('rounds halfway between neighbors to even, for every pair of neighbors', () => {
    for (let bits = 0; bits < 0x7bff; bits++) {
      const middle = ((HALF_VALUES[bits] as number) + (HALF_VALUES[bits + 1] as number)) / 2;
      const even = bits % 2 === 0 ? bits : bits + 1;
      if (toHalf(middle) !== even || toHalf(-middle) !== (even | 0x8000))
        expect.fail(`between ${bits} and its successor`);
    }
  });

  it('rounds any float32 as the engine does', () => {
    fc.assert(
      fc.property(anyBits, (bits) => {
        const value = float32FromBits(bits);
        expect(HALF_VALUES[float32ToFloat16(value)[0] as number]).toBe(f16round(value[0] as number));
      }),
      { seed: 1, numRuns: 20_000 },
    );
  });

  it('overflows to infinity from 65,520 on and keeps NaN', () => {
    expect([65_519.99, 65_520, -1e30, Infinity].map((value) => HALF_VALUES[toHalf(value)])).toEqual([
      65_504,
      Infinity,
      -Infinity,
      Infinity,
    ]);
    expect(HALF_VALUES[toHalf(Number.NaN)]).toBeNaN();
  });
});

describe('bfloat16', () => {
  it('is the upper half of a float32, for all patterns', () => {
    const bits = new Uint32Array(bfloat16ToFloat32(allPatterns).buffer);
    expect(bits.every((value, pattern) => value === (pattern << 16) >>> 0)).toBe(true);
  });

  it('takes the nearest of the two neighbors, the even one in the middle', () => {
    fc.assert(
      fc.property(anyBits, (bits) => {
        const value = float32FromBits(bits);
        const [result] = float32ToBfloat16(value) as unknown as [number];
        fc.pre(!Number.isNaN(value[0]));
        const below = bits >>> 16;
        const remainder = bits & 0xffff;
        const up = remainder > 0x8000 || (remainder === 0x8000 && below % 2 === 1);
        expect(result).toBe(up ? below + 1 : below);
      }),
      { seed: 1, numRuns: 20_000 },
    );
  });

  it('keeps a NaN whose payload lies in the bits cut off', () => {
    const [bits] = float32ToBfloat16(float32FromBits(0x7f800001));
    expect(bfloat16ToFloat32(Uint16Array.of(bits as number))[0]).toBeNaN();
  });
});
