import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';

/** 32 weights: half scale d · 32 fifth bits · 16 bytes of low nibbles as in Q4_0. w = d (q − 16). */
export const q5_0: BlockFormat = {
  type: 'Q5_0',
  length: 32,
  bytes: 22,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 22, out += 32) {
      const d = HALF_VALUES[word(source, at)] as number;
      const fifthBits = word(source, at + 2) | (word(source, at + 4) << 16);
      for (let i = 0; i < 16; i++) {
        const pair = source[at + 6 + i] as number;
        target[out + i] = d * (((pair & 15) | (((fifthBits >>> i) & 1) << 4)) - 16);
        target[out + i + 16] = d * (((pair >> 4) | (((fifthBits >>> (i + 16)) & 1) << 4)) - 16);
      }
    }
  },
};

/** 32 weights: half scale d · half minimum m · 32 fifth bits · 16 bytes of low nibbles. w = d q + m. */
export const q5_1: BlockFormat = {
  type: 'Q5_1',
  length: 32,
  bytes: 24,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 24, out += 32) {
      const d = HALF_VALUES[word(source, at)] as number;
      const m = HALF_VALUES[word(source, at + 2)] as number;
      const fifthBits = word(source, at + 4) | (word(source, at + 6) << 16);
      for (let i = 0; i < 16; i++) {
        const pair = source[at + 8 + i] as number;
        target[out + i] = d * ((pair & 15) | (((fifthBits >>> i) & 1) << 4)) + m;
        target[out + i + 16] = d * ((pair >> 4) | (((fifthBits >>> (i + 16)) & 1) << 4)) + m;
      }
    }
  },
};
