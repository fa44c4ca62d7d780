/** Element types of tensors in files, in safetensors' spelling. */
export type DType = 'F32' | 'F16' | 'BF16' | 'F64' | 'I8' | 'I16' | 'I32' | 'I64' | 'U8' | 'U16' | 'U32' | 'U64' | 'BOOL';

/** Where a tensor's bytes lie; nothing is read until `bytes()` is called. */
export interface TensorInfo {
  readonly name: string;
  /** Row-major, outermost first. */
  readonly shape: readonly number[];
  readonly dtype: DType;
  readonly byteLength: number;
}

/** A set of named tensors in one or more files, opened without reading their data. */
export interface TensorSource {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** Little-endian bytes of one tensor. The view may be shared with a mapping of the file: do not write to it. */
  bytes(name: string): Uint8Array;
  /** The tensor decoded to float32 (F32, F16, BF16, F64 and, for GGUF, every quantised type). */
  float32(name: string): Float32Array;
  close(): void;
}
