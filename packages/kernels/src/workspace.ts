import { bytesOf, type DType } from './tensor.ts';

/** Bytes of the parts of a CUDA kernel's workspace, which lie as `take` in native/cuda/types.cuh lays them out. */
export function partsBytes(...parts: readonly number[]): number {
  return parts.reduce((sum, bytes) => sum + Math.ceil(bytes / 256) * 256, 0);
}

/** Bytes of the partial sums over `rows` rows: native/cuda/column_sums.cuh. */
export function columnSumBytes(rows: number, columns: number): number {
  return 4 * columns * Math.min(256, Math.ceil(rows / 64));
}

/** The type that products are computed in: native/cuda/operand.cuh. */
export function computeType(activation: DType | undefined, bf16: number): DType {
  return activation === 'bf16' || bf16 ? 'bf16' : 'f32';
}

/** Bytes of an operand's copy in the type that is computed in, where it has another. */
export function copyBytes(type: DType | undefined, compute: DType, elements: number): number {
  return type === compute ? 0 : bytesOf[compute] * elements;
}

/** Parts of the tokens that partial sums are made of, where blocks take `regions` of the columns each: native/cuda/narrow_tiles.h. */
export function tokenParts(tokens: number, regions: number): number {
  const tiles = Math.ceil(tokens / 128);
  return Math.min(tiles, Math.max(Math.ceil(264 / regions), Math.min(32, Math.ceil(tiles / 4))));
}
