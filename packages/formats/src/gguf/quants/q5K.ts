import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';
import { minimumOf, scaleOf } from './groupScales.ts';

/**
 * Q4_K with a fifth bit: half d · half dmin · 12 bytes of group scales and minima · 32 bytes of fifth bits (bit `group` of
 * byte i) · 128 bytes of nibbles. w = d scale q − dmin minimum.
 */
export const q5K: BlockFormat = {
  type: 'Q5_K',
  length: 256,
  bytes: 176,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 176, out += 256) {
      const d = HALF_VALUES[word(source, at)] as number;
      const dmin = HALF_VALUES[word(source, at + 2)] as number;
      for (let group = 0; group < 8; group++) {
        const scale = d * scaleOf(source, at + 4, group);
        const minimum = dmin * minimumOf(source, at + 4, group);
        const fifthBits = at + 16;
        const quants = at + 48 + (group >> 1) * 32;
        const shift = (group & 1) * 4;
        const first = out + group * 32;
        for (let i = 0; i < 32; i++) {
          const low = ((source[quants + i] as number) >> shift) & 15;
          const high = (((source[fifthBits + i] as number) >> group) & 1) << 4;
          target[first + i] = scale * (low | high) - minimum;
        }
      }
    }
  },
};
