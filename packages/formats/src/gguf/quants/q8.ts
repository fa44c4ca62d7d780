import { HALF_VALUES, toHalf } from '../../float16.ts';
import type { WritableBlockFormat } from './blockFormat.ts';
import { extreme, inverse, word } from './blockFormat.ts';

/** 32 weights: half scale d · 32 signed bytes. w = d q. */
export const q8_0: WritableBlockFormat = {
  type: 'Q8_0',
  length: 32,
  bytes: 34,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 34, out += 32) {
      const d = HALF_VALUES[word(source, at)] as number;
      for (let i = 0; i < 32; i++) target[out + i] = d * (((source[at + 2 + i] as number) << 24) >> 24);
    }
  },
  encode(source, target) {
    for (let at = 0, from = 0; from < source.length; at += 34, from += 32) {
      const d = Math.fround(Math.abs(extreme(source, from, 32)) / 127);
      const scale = inverse(d);
      const half = toHalf(d);
      target[at] = half;
      target[at + 1] = half >> 8;
      for (let i = 0; i < 32; i++)
        target[at + 2 + i] = roundAwayFromZero(Math.fround((source[from + i] as number) * scale));
    }
  },
};

/** C's roundf: halves go away from zero, unlike Math.round's. */
function roundAwayFromZero(value: number): number {
  return value < 0 ? -Math.floor(0.5 - value) : Math.floor(value + 0.5);
}
