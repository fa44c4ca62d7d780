import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';

/** What the 16 codes stand for, as ggml has them. */
const VALUES = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

/** 32 weights from 16 bytes: low nibbles the first 16 weights, high nibbles the rest. */
function decodeGroup(source: Uint8Array, at: number, scale: number, target: Float32Array, out: number): void {
  for (let i = 0; i < 16; i++) {
    const pair = source[at + i] as number;
    target[out + i] = scale * (VALUES[pair & 15] as number);
    target[out + i + 16] = scale * (VALUES[pair >> 4] as number);
  }
}

/** 32 weights: half scale d · 16 bytes of nibbles. w = d value. */
export const iq4_nl: BlockFormat = {
  type: 'IQ4_NL',
  length: 32,
  bytes: 18,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 18, out += 32) {
      decodeGroup(source, at + 2, HALF_VALUES[word(source, at)] as number, target, out);
    }
  },
};

/**
 * 256 weights in 8 groups of 32: half d · 16 bits with the upper two of each group scale · 4 bytes with their lower four, low nibble
 * first · 128 bytes of nibbles. w = d (scale − 32) value.
 */
export const iq4_xs: BlockFormat = {
  type: 'IQ4_XS',
  length: 256,
  bytes: 136,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 136, out += 256) {
      const d = HALF_VALUES[word(source, at)] as number;
      const upper = word(source, at + 2);
      for (let group = 0; group < 8; group++) {
        const low = ((source[at + 4 + (group >> 1)] as number) >> (4 * (group & 1))) & 15;
        const scale = low | (((upper >> (2 * group)) & 3) << 4);
        decodeGroup(source, at + 8 + 16 * group, d * (scale - 32), target, out + 32 * group);
      }
    }
  },
};
