import type { BlockType } from '../../tensor.ts';

/**
 * One of ggml's quantised types: runs of `length` weights in `bytes` bytes.
 *
 * Decoding is bit-exact with ggml's dequantize_row_*, with or without fused multiply-adds there: a scale is a half
 * (11 significant bits) times small integers, so every intermediate product and sum is exact in JavaScript's doubles, and
 * the store into the Float32Array is the only rounding, as in ggml.
 */
export interface BlockFormat {
  readonly type: BlockType;
  /** Weights a block. */
  readonly length: number;
  /** Bytes a block. */
  readonly bytes: number;
  /** @param source whole blocks  @param target as many weights */
  decode(source: Uint8Array, target: Float32Array): void;
}

export interface WritableBlockFormat extends BlockFormat {
  /** As ggml's quantize_row_*_ref, byte for byte. @param source whole blocks of finite weights  @param target as many blocks */
  encode(source: Float32Array, target: Uint8Array): void;
}

/** The little-endian 16-bit word at `at`: an index into HALF_VALUES. */
export function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}

/** The weight of largest magnitude among `length` from `start` on, the first of equals, with its sign. */
export function extreme(weights: Float32Array, start: number, length: number): number {
  let found = 0;
  let magnitude = 0;
  for (let i = start; i < start + length; i++) {
    const weight = weights[i] as number;
    const size = Math.abs(weight);
    if (size > magnitude) {
      magnitude = size;
      found = weight;
    }
  }
  return found;
}

/** float32 1 / scale, and 0 for a scale of 0 or one so small that its inverse overflows (all its weights round to 0). */
export function inverse(scale: number): number {
  const factor = Math.fround(1 / scale);
  return Number.isFinite(factor) ? factor : 0;
}
