import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';
import { minimumOf, scaleOf } from './groupScales.ts';

/**
 * 256 weights in 8 groups of 32: half d · half dmin · 12 bytes of group scales and minima · 128 bytes of nibbles, 32 bytes for
 * two groups (low nibbles the first). w = d scale q − dmin minimum.
 */
export const q4K: BlockFormat = {
  type: 'Q4_K',
  length: 256,
  bytes: 144,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 144, out += 256) {
      const d = HALF_VALUES[word(source, at)] as number;
      const dmin = HALF_VALUES[word(source, at + 2)] as number;
      for (let group = 0; group < 8; group++) {
        const scale = d * scaleOf(source, at + 4, group);
        const minimum = dmin * minimumOf(source, at + 4, group);
        const quants = at + 16 + (group >> 1) * 32;
        const shift = (group & 1) * 4;
        const first = out + group * 32;
        for (let i = 0; i < 32; i++) {
          target[first + i] = scale * (((source[quants + i] as number) >> shift) & 15) - minimum;
        }
      }
    }
  },
};
