import { HALF_VALUES, toHalf } from '../../float16.ts';
import type { BlockFormat, WritableBlockFormat } from './blockFormat.ts';
import { extreme, inverse, word } from './blockFormat.ts';

/** 32 weights: half scale d · 16 bytes, low nibbles the first 16 weights, high nibbles the rest. w = d (q − 8). */
export const q4_0: WritableBlockFormat = {
  type: 'Q4_0',
  length: 32,
  bytes: 18,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 18, out += 32) {
      const d = HALF_VALUES[word(source, at)] as number;
      for (let i = 0; i < 16; i++) {
        const pair = source[at + 2 + i] as number;
        target[out + i] = d * ((pair & 15) - 8);
        target[out + i + 16] = d * ((pair >> 4) - 8);
      }
    }
  },
  encode(source, target) {
    for (let at = 0, from = 0; from < source.length; at += 18, from += 32) {
      const d = Math.fround(extreme(source, from, 32) / -8);
      const scale = inverse(d);
      const half = toHalf(d);
      target[at] = half;
      target[at + 1] = half >> 8;
      for (let i = 0; i < 16; i++) {
        const low = nibble(source[from + i] as number, scale);
        const high = nibble(source[from + i + 16] as number, scale);
        target[at + 2 + i] = low | (high << 4);
      }
    }
  },
};

/** 32 weights: half scale d · half minimum m · 16 bytes of nibbles as in Q4_0. w = d q + m. */
export const q4_1: BlockFormat = {
  type: 'Q4_1',
  length: 32,
  bytes: 20,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 20, out += 32) {
      const d = HALF_VALUES[word(source, at)] as number;
      const m = HALF_VALUES[word(source, at + 2)] as number;
      for (let i = 0; i < 16; i++) {
        const pair = source[at + 4 + i] as number;
        target[out + i] = d * (pair & 15) + m;
        target[out + i + 16] = d * (pair >> 4) + m;
      }
    }
  },
};

function nibble(weight: number, scale: number): number {
  return Math.min(15, Math.trunc(Math.fround(Math.fround(weight * scale) + 8.5)));
}
