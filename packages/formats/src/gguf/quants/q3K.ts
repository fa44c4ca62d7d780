import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';

/**
 * 256 weights in 16 groups of 16: 32 bytes of third bits · 64 bytes of low 2 bits (laid out as in Q2_K) · 16 six-bit group
 * scales in 12 bytes · half d. w = d (scale − 32) (q − 4), where q's third bit is bit ⌊weight / 32⌋ of byte weight mod 32.
 */
export const q3K: BlockFormat = {
  type: 'Q3_K',
  length: 256,
  bytes: 110,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 110, out += 256) {
      const d = HALF_VALUES[word(source, at + 108)] as number;
      for (let group = 0; group < 16; group++) {
        const scale = d * (groupScale(source, at + 96, group) - 32);
        const quants = at + 32 + (group >> 3) * 32 + (group & 1) * 16;
        const shift = group & 6; // 0 2 4 6
        const thirdBits = at + (group & 1) * 16;
        const thirdBit = group >> 1;
        const first = out + group * 16;
        for (let i = 0; i < 16; i++) {
          const low = ((source[quants + i] as number) >> shift) & 3;
          const high = (((source[thirdBits + i] as number) >> thirdBit) & 1) << 2;
          target[first + i] = scale * ((low | high) - 4);
        }
      }
    }
  },
};

/** Low four bits in the nibbles of the first 8 bytes, high two bits in the last 4 bytes. */
function groupScale(source: Uint8Array, at: number, group: number): number {
  const low = ((source[at + (group & 7)] as number) >> (group < 8 ? 0 : 4)) & 15;
  const high = ((source[at + 8 + (group & 3)] as number) >> (2 * (group >> 2))) & 3;
  return low | (high << 4);
}
