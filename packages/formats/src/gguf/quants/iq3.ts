import { HALF_VALUES } from '../../float16.ts';
import type { BlockFormat } from './blockFormat.ts';
import { word } from './blockFormat.ts';
import { IQ3_S_POINTS, IQ3_XXS_POINTS } from './iq3Points.ts';

/** What the digits of a point stand for: odd numbers, times four in IQ3_XXS, where the last is half a step further. */
const S_MAGNITUDES = [1, 3, 5, 7, 9, 11, 13, 15];
const XXS_MAGNITUDES = [4, 12, 20, 28, 36, 44, 52, 62];

const valuesOf = (points: readonly number[][], magnitudes: readonly number[]): Float32Array =>
  Float32Array.from(points.flatMap((digits) => digits.map((digit) => magnitudes[digit] as number)));

const XXS_VALUES = valuesOf(IQ3_XXS_POINTS, XXS_MAGNITUDES);
const S_VALUES = valuesOf(IQ3_S_POINTS, S_MAGNITUDES);

/** Four weights of a point. @param signs of 8 weights, a set bit is a minus @param shift of the first of these four among them */
function decodeQuad(
  values: Float32Array,
  point: number,
  { scale, signs, shift }: { scale: number; signs: number; shift: number },
  target: Float32Array,
  out: number,
): void {
  for (let k = 0; k < 4; k++) {
    const value = scale * (values[4 * point + k] as number);
    target[out + k] = (signs >> (shift + k)) & 1 ? -value : value;
  }
}

/** Seven signs, and the eighth that makes the number of minuses even. */
const SIGNS = Uint8Array.from({ length: 128 }, (_, seven) => {
  const minuses = seven.toString(2).replaceAll('0', '').length;
  return seven | ((minuses & 1) << 7);
});

/**
 * 256 weights in 8 groups of 32: half d · 64 numbers of points of four weights · for each group 32 bits: four times seven signs of 8
 * weights, and four bits of scale. w = ± d (scale + 0.5) / 2 · value.
 */
export const iq3_xxs: BlockFormat = {
  type: 'IQ3_XXS',
  length: 256,
  bytes: 98,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 98, out += 256) {
      const d = HALF_VALUES[word(source, at)] as number;
      for (let group = 0; group < 8; group++) {
        const packed = at + 66 + 4 * group;
        const bits = word(source, packed) | (word(source, packed + 2) << 16);
        const scale = (d * ((bits >>> 28) + 0.5)) / 2;
        for (let quad = 0; quad < 8; quad++) {
          const signs = SIGNS[(bits >>> (7 * (quad >> 1))) & 127] as number;
          const point = source[at + 2 + 8 * group + quad] as number;
          decodeQuad(XXS_VALUES, point, { scale, signs, shift: 4 * (quad & 1) }, target, out + 32 * group + 4 * quad);
        }
      }
    }
  },
};

/**
 * 256 weights in 8 groups of 32: half d · the low 8 bits of 64 numbers of points · 8 bytes with their ninth bits · 32 bytes of signs ·
 * 4 bytes of scales, low nibble first. w = ± d (2 scale + 1) value.
 */
export const iq3_s: BlockFormat = {
  type: 'IQ3_S',
  length: 256,
  bytes: 110,
  decode(source, target) {
    for (let at = 0, out = 0; out < target.length; at += 110, out += 256) {
      const d = HALF_VALUES[word(source, at)] as number;
      for (let quad = 0; quad < 64; quad++) {
        const group = quad >> 3;
        const nibble = ((source[at + 106 + (group >> 1)] as number) >> (4 * (group & 1))) & 15;
        const ninth = ((source[at + 66 + group] as number) >> (quad & 7)) & 1;
        const point = (source[at + 2 + quad] as number) | (ninth << 8);
        const signs = source[at + 74 + (quad >> 1)] as number;
        const scale = d * (2 * nibble + 1);
        decodeQuad(S_VALUES, point, { scale, signs, shift: 4 * (quad & 1) }, target, out + 4 * quad);
      }
    }
  },
};
