/** Element types of tensors in files, in safetensors' spelling. */
export type DType =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'F64'
  | 'I8'
  | 'I16'
  | 'I32'
  | 'I64'
  | 'U8'
  | 'U16'
  | 'U32'
  | 'U64'
  | 'BOOL';

/** Block-quantized types: a run of weights that share scales. GGUF files hold them; MXFP4 is in checkpoints, too (mxfp4/source.ts). */
export type BlockType =
  | ('Q4_0' | 'Q4_1' | 'Q5_0' | 'Q5_1' | 'Q8_0' | 'Q2_K' | 'Q3_K' | 'Q4_K' | 'Q5_K' | 'Q6_K')
  | ('IQ4_NL' | 'IQ4_XS' | 'IQ3_XXS' | 'IQ3_S' | 'MXFP4');

/** bitsandbytes' 4-bit matrices: codes, and an absmax for each block of 64 weights, in tensors of their own. */
export type Nf4Type = 'NF4';

/** Bytes per element. */
export const ELEMENT_BYTES: Readonly<Record<DType, number>> = {
  F64: 8,
  I64: 8,
  U64: 8,
  F32: 4,
  I32: 4,
  U32: 4,
  F16: 2,
  BF16: 2,
  I16: 2,
  U16: 2,
  I8: 1,
  U8: 1,
  BOOL: 1,
};

/** Rows `first` … `first + count - 1` along a tensor's outermost extent: large tensors need not be held whole. */
export interface RowRange {
  readonly first: number;
  readonly count: number;
}

/** What a file says about one tensor; nothing is read until its bytes are asked for. */
export interface TensorInfo {
  readonly name: string;
  /** Row-major, outermost first (also for GGUF, which lists the innermost first). */
  readonly shape: readonly number[];
  readonly dtype: DType | BlockType | Nf4Type;
  readonly byteLength: number;
}

/** Where a tensor's bytes lie: in an open file, from this position on. */
export interface FilePlace {
  /** Valid until the source is closed. */
  readonly descriptor: number;
  readonly position: number;
}

/**
 * A set of named tensors in one or more files, opened without reading their data.
 * Node has no mmap, so tensors are read by position when asked for, and nothing is kept afterwards.
 * Every method throws a UserError for a name that is not there or a file that changed meanwhile.
 */
export interface TensorSource {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Little-endian bytes of a tensor, or of some of its rows, as stored, in a fresh buffer that belongs to the caller and is aligned for any view. */
  bytes(name: string, rows?: RowRange): Uint8Array;
  /** The same decoded to float32 (F32, F16, BF16, F64 and, for GGUF, every quantized type). */
  float32(name: string, rows?: RowRange): Float32Array;
  /** For who reads it natively. */
  place(name: string): FilePlace;
  close(): void;
}

export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1);
}
