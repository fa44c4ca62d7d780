import { MXFP4_SCALES, MXFP4_VALUES } from '../../mxfp4/mxfp4.ts';
import type { BlockFormat } from './blockFormat.ts';

/** 32 weights: scale 2^(e − 127) · 16 bytes, low nibbles the first 16 weights, high nibbles the rest, each a float of 4 bits. */
export const mxfp4: BlockFormat = {
  type: 'MXFP4',
  length: 32,
  bytes: 17,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 17, out += 32) {
      const scale = MXFP4_SCALES[source[at] as number] as number;
      for (let i = 0; i < 16; i++) {
        const pair = source[at + 1 + i] as number;
        target[out + i] = scale * (MXFP4_VALUES[pair & 15] as number);
        target[out + i + 16] = scale * (MXFP4_VALUES[pair >> 4] as number);
      }
    }
  },
};
