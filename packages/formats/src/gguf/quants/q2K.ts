import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';

/**
 * 256 weights in 16 groups of 16: 16 bytes of group scale (low nibble) and minimum (high nibble) · 64 bytes of 2-bit q ·
 * half d · half dmin. w = d scale q − dmin minimum. 32 bytes of q hold 128 weights: bits 0–1 the first 32, and so on.
 */
export const q2K: BlockFormat = {
  type: 'Q2_K',
  length: 256,
  bytes: 84,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 84, out += 256) {
      const d = HALF_VALUES[word(source, at + 80)] as number;
      const dmin = HALF_VALUES[word(source, at + 82)] as number;
      for (let group = 0; group < 16; group++) {
        const scales = source[at + group] as number;
        const scale = d * (scales & 15);
        const minimum = dmin * (scales >> 4);
        const quants = at + 16 + (group >> 3) * 32 + (group & 1) * 16;
        const shift = group & 6; // 0 2 4 6
        const first = out + group * 16;
        for (let i = 0; i < 16; i++) {
          target[first + i] = scale * (((source[quants + i] as number) >> shift) & 3) - minimum;
        }
      }
    }
  },
};
