import { addon } from './addon.ts';
import { type SourceType, sourceTypes } from './addonTypes.ts';
import { type CpuDevice, cpuDevice } from './device.ts';

/** Types that weights are written in, numbered as in native/weights/weights.h. The quantized ones have ggml's layout. */
export const weightTypes = [
  ...(['F32', 'F16', 'BF16'] as const),
  ...(['Q8_0', 'Q4_0', 'Q5_0', 'Q5_1'] as const),
  ...(['Q2_K', 'Q3_K', 'Q4_K', 'Q5_K', 'Q6_K'] as const),
  ...(['IQ4_NL', 'IQ4_XS', 'IQ3_XXS', 'IQ3_S'] as const),
];
export type WeightType = (typeof weightTypes)[number];

/** Some rows of a matrix, an adapter to fold in, and the types to write them in. */
export interface EncodeWeights {
  /** rows × columns, row-major, little-endian, aligned for its type. */
  readonly source: Uint8Array;
  readonly sourceType: Extract<SourceType, 'f32' | 'bf16' | 'f16'>;
  readonly rows: number;
  /** Whole blocks of every target's type. */
  readonly columns: number;
  /**
   * Added before encoding: scale · B A, with A of rank × columns and B of rows × rank. With magnitudes, one a row, each row then
   * gets that length.
   */
  readonly adapter?: {
    readonly A: Float32Array;
    readonly B: Float32Array;
    readonly rank: number;
    readonly scale: number;
    readonly magnitude?: Float32Array;
  };
  /**
   * Of each column how much errors in it count, as the mean square of what the matrix is multiplied with: finite, not negative.
   * F32, F16, BF16 and Q8_0 take no notice.
   */
  readonly importance?: Float32Array;
  /** Each gets the rows in its type; `bytes` has exactly the room for them. */
  readonly targets: readonly { readonly type: WeightType; readonly bytes: Uint8Array }[];
}

/** A weight that a target's type cannot hold: too large, or NaN. `index` counts from the first row handed over. */
export interface Unrepresentable {
  readonly index: number;
  readonly value: number;
  readonly target: number;
}

/**
 * Merges and encodes weights off the event loop on all cores. Sums are formed in float64 and rounded to float32 once; the
 * bytes are the same with any number of threads and on every processor. Nothing given may be changed before the promise settles.
 * @returns the first weight that could not be written, or null
 */
export function encodeWeights(
  { sourceType, targets, ...job }: EncodeWeights,
  device: Pick<CpuDevice, 'isa' | 'threads'> = cpuDevice(),
): Promise<Unrepresentable | null> {
  const native = {
    ...job,
    sourceType: sourceTypes.indexOf(sourceType),
    targets: targets.map(({ type, bytes }) => ({ type: weightTypes.indexOf(type), bytes })),
  };
  return addon().encodeWeights(native, device.isa, device.threads);
}
