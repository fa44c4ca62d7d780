import { type NativeWeightSource, sourceTypes } from './addonTypes.ts';
import type { FloatType } from './nf4.ts';

/** Values that an engine reads by itself, in the order of the variable's rows. */
export type WeightSource = FileWeights | RepeatedWeights;

export interface FileWeights {
  readonly type: FloatType;
  /** Of a file that stays open until the values are there. */
  readonly descriptor: number;
  /** Of their first byte in it. */
  readonly position: number;
  readonly rows: number;
  /** Rows of a head whose row 2i the file pairs with row 2i + 1, where we pair row i with row i + headRows / 2; 0: none. */
  readonly headRows: number;
}

export interface RepeatedWeights {
  readonly type: FloatType;
  /** Repeated until the variable is full. */
  readonly pattern: Uint8Array;
}

/** As the native boundary takes it. */
export function nativeSource(source: WeightSource): NativeWeightSource {
  return { ...source, type: sourceTypes.indexOf(source.type) };
}
