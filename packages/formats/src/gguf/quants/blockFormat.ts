import type { BlockType } from '../../tensor.ts';

/**
 * One of ggml's quantized types: runs of `length` weights in `bytes` bytes.
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

/** The little-endian 16-bit word at `at`: an index into HALF_VALUES. */
export function word(bytes: Uint8Array, at: number): number {
  return (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
}
