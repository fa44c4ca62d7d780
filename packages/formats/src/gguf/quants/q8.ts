import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';

/** 32 weights: half scale d · 32 signed bytes. w = d q. */
export const q8_0: BlockFormat = {
  type: 'Q8_0',
  length: 32,
  bytes: 34,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 34, out += 32) {
      const d = HALF_VALUES[word(source, at)] as number;
      for (let i = 0; i < 32; i++) target[out + i] = d * (((source[at + 2 + i] as number) << 24) >> 24);
    }
  },
};
