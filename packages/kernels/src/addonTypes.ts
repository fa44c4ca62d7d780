import type { EncodeWeights, Unrepresentable } from './weights.ts';

/** The whole native boundary: what native/addon.cpp exports. */
export interface Addon {
  /** A hash of the sources that both sides of the boundary have to agree about, when the addon was built: `addon.ts`. */
  readonly boundary: string;
  /** `device`: `cpu:` and an instruction set, or `cuda:` and a number, with `:graphs` where launches are recorded and repeated. */
  readonly NativeEngine: new (
    plan: Uint8Array,
    device: string,
  ) => NativeEngine;
  /** What this processor runs of what the binary holds, best first: of amx, avx512bf16, avx512, avx2, neonbf16, neon, plain. */
  instructionSets(): string[];
  readonly scratchBytesPerThread: number;
  /** Bytes of the device's memory that are free now, after the driver has made its context there. */
  cudaFreeBytes(index: number): number;
  cudaDevices(): NativeCudaDevices;
  /** Null where the addon has no CUDA. */
  cudaLibrary(): NativeCudaLibrary | null;
  /** As `encodeWeights` in weights.ts, types by number. Rejects on sizes that do not belong together. */
  encodeWeights(job: NativeEncodeJob, isa: string, threads: number): Promise<Unrepresentable | null>;
  /** As `quantizeNf4` in nf4.ts; fills the job's arrays and gives the offset. Rejects on sizes that do not belong together. */
  quantizeNf4(job: NativeNf4Job, isa: string, threads: number): Promise<number>;
}

export interface NativeNf4Job {
  readonly source: Uint8Array;
  readonly sourceType: number;
  readonly codes: Uint8Array;
  readonly absmax: Uint8Array;
  readonly double: { readonly absmax: Uint8Array; readonly scales: Uint8Array; readonly map: Uint8Array } | null;
}

export interface NativeCudaDevices {
  readonly devices: readonly NativeCudaDevice[];
  /** As CUDA numbers itself, 13000 is 13.0: what the driver is for, 0 where there is none, and what the addon needs, 0 without CUDA. */
  readonly driverVersion: number;
  readonly runtimeVersion: number;
  /** Why a GPU could not be asked. */
  readonly error: string | null;
}

export interface NativeCudaLibrary {
  /** Architectures that the addon has code for, as CMake writes them: `80-real,90a-real`. */
  readonly targets: string;
  /** The file of cuBLASLt and its version; empty where it could not be opened. */
  readonly path: string;
  readonly version: string;
  /** Why it could not be opened; its last line is the remedy. */
  readonly problem: string | null;
}

export interface NativeCudaDevice {
  readonly index: number;
  readonly name: string;
  /** Of the PCI bus, as nvidia-smi writes it, which may count in another order, and counts those that are hidden: `00000000:C1:00.0`. */
  readonly busId: string;
  readonly computeCapability: string;
  readonly memoryBytes: number;
  readonly libraryBytes: number;
  /** Whether the addon has code for it. */
  readonly hasCode: boolean;
}

export interface NativeEncodeJob extends Omit<EncodeWeights, 'sourceType' | 'targets'> {
  readonly sourceType: number;
  readonly targets: readonly { readonly type: number; readonly bytes: Uint8Array }[];
}

/** Element types in which values are handed over, numbered as in native/convert.h. */
export const sourceTypes = ['f32', 'bf16', 'f16', 'i32', 'f64', 'u8'] as const;
export type SourceType = (typeof sourceTypes)[number];

/** Indices are positions in the plan's lists of variables, programs, inputs and results. */
export interface NativeEngine {
  /** Converts into the variable's own type, from element `first` on. Rejects when there are more values than the variable holds. */
  write(variable: number, bytes: Uint8Array, source: number, first: number | undefined): Promise<void>;
  /** Fills a variable from where its values lie, on all cores. */
  load(variable: number, source: NativeWeightSource): Promise<LoadOutcome>;
  /** The same for a matrix in NF4, encoding the values. */
  loadNf4(variables: NativeNf4Variables, source: NativeWeightSource): Promise<Nf4LoadOutcome>;
  /**
   * Runs the calls in order off the event loop; `done` is below their number only after cancel(). Rejects on ids out of range. Two
   * may be under way; of anything else one, and no run beside it.
   */
  run(calls: readonly NativeCall[]): Promise<NativeOutcome>;
  read(variable: number): ArrayBuffer;
  /** Makes the current run stop before its next call. */
  cancel(): void;
  setProfiling(on: boolean): void;
  takeProfile(): { op: string; milliseconds: number; launches: number }[];
  dispose(): void;
}

export type NativeWeightSource =
  | {
      readonly type: number;
      readonly descriptor: number;
      readonly position: number;
      readonly rows: number;
      /** 0: rows are in our order. */
      readonly headRows: number;
    }
  | { readonly type: number; readonly pattern: Uint8Array };

/** Positions in the plan's list of variables. */
export interface NativeNf4Variables {
  readonly codes: number;
  readonly absmax: number;
  readonly double: { readonly scales: number; readonly offsets: number; readonly map: Float32Array } | null;
}

export interface LoadOutcome {
  /** What is wrong with the file, or null. */
  readonly problem: string | null;
  /** The first value that is infinite or no number. */
  readonly notFinite: number | null;
}

export interface Nf4LoadOutcome {
  /** What is wrong with the file, or null. */
  readonly problem: string | null;
  /** Whether all weights are; else NF4 cannot hold them. */
  readonly isFinite: boolean;
}

export interface NativeCall {
  readonly program: number;
  /** Extents T, S, N, C, R of this call. */
  readonly dims: Int32Array;
  readonly inputs: readonly (readonly [input: number, bytes: Uint8Array])[];
  /** What is wanted after it, from the beginning of each. */
  readonly results: readonly (readonly [result: number, bytes: number])[];
}

export interface NativeOutcome {
  readonly done: number;
  readonly results: readonly ArrayBuffer[];
}
