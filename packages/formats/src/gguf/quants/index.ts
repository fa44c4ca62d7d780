import type { BlockType } from '../../tensor.ts';
import type { BlockFormat } from './blockFormat.ts';
import { iq3_s, iq3_xxs } from './iq3.ts';
import { iq4_nl, iq4_xs } from './iq4.ts';
import { mxfp4 } from './mxfp4.ts';
import { q2K } from './q2K.ts';
import { q3K } from './q3K.ts';
import { q4_0, q4_1 } from './q4.ts';
import { q4K } from './q4K.ts';
import { q5_0, q5_1 } from './q5.ts';
import { q5K } from './q5K.ts';
import { q6K } from './q6K.ts';
import { q8_0 } from './q8.ts';

export const BLOCK_FORMATS: Readonly<Record<BlockType, BlockFormat>> = {
  Q4_0: q4_0,
  Q4_1: q4_1,
  Q5_0: q5_0,
  Q5_1: q5_1,
  Q8_0: q8_0,
  Q2_K: q2K,
  Q3_K: q3K,
  Q4_K: q4K,
  Q5_K: q5K,
  Q6_K: q6K,
  IQ4_NL: iq4_nl,
  IQ4_XS: iq4_xs,
  IQ3_XXS: iq3_xxs,
  IQ3_S: iq3_s,
  MXFP4: mxfp4,
};
