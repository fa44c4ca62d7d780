import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';

/** 32 weights: half scale d · 16 bytes, low nibbles the first 16 weights, high nibbles the rest. w = d (q − 8). */
export const q4_0: BlockFormat = {
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
