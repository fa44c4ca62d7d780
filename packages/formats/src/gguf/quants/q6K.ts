import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';

/**
 * 256 weights in 16 groups of 16: 128 bytes of low nibbles · 64 bytes of high 2 bits · 16 signed group scales · half d.
 * w = d scale (q − 32). Each half of 128 weights has 64 bytes of nibbles (weights 0–63 low, 64–127 high) and 32 bytes of high
 * bits (weights 0–31 in bits 0–1, and so on).
 */
export const q6K: BlockFormat = {
  type: 'Q6_K',
  length: 256,
  bytes: 210,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 210, out += 256) {
      const d = HALF_VALUES[word(source, at + 208)] as number;
      for (let group = 0; group < 16; group++) {
        const scale = d * (((source[at + 192 + group] as number) << 24) >> 24);
        const half = group >> 3;
        const low = at + half * 64 + (group & 3) * 16;
        const lowShift = group & 4;
        const high = at + 128 + half * 32 + (group & 1) * 16;
        const highShift = group & 6; // 0 2 4 6
        const first = out + group * 16;
        for (let i = 0; i < 16; i++) {
          const q =
            (((source[low + i] as number) >> lowShift) & 15) | ((((source[high + i] as number) >> highShift) & 3) << 4);
          target[first + i] = scale * (q - 32);
        }
      }
    }
  },
};
