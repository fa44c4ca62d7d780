/** OCP Microscaling Formats 1.0, MXFP4: blocks of weights of 4 bits (E2M1) that share a power of two (E8M0). */

/** Weights that share a scale. */
export const MXFP4_BLOCK = 32;

const MAGNITUDES = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** By their 4 bits, the highest of which is the sign. There is one zero, as in ggml. */
export const MXFP4_VALUES = Float64Array.from([...MAGNITUDES, ...MAGNITUDES.map((value) => 0 - value)]);

/** By the byte that holds its exponent. 255, which the format calls no number, is 2^128 as in transformers and ggml. */
export const MXFP4_SCALES = Float64Array.from({ length: 256 }, (_, exponent) => 2 ** (exponent - 127));

/** Decodes `target.length` weights: two a byte, of which the first has the low bits. @param scales a byte for each block */
export function decodeMxfp4(codes: Uint8Array, scales: Uint8Array, target: Float32Array): void {
  for (let block = 0, at = 0; at < target.length; block++) {
    const scale = MXFP4_SCALES[scales[block] as number] as number;
    for (const end = at + MXFP4_BLOCK; at < end; at += 2) {
      const pair = codes[at >> 1] as number;
      target[at] = scale * (MXFP4_VALUES[pair & 15] as number);
      target[at + 1] = scale * (MXFP4_VALUES[pair >> 4] as number);
    }
  }
}
