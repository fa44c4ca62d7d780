import { nf4Block, nf4ScaleBlock } from '../ops/dequantize_nf4/op.ts';
import { addon } from './addon.ts';
import { type SourceType, sourceTypes } from './addonTypes.ts';
import { type CpuDevice, cpuDevice } from './device.ts';

/** Types of weights that are converted natively. */
export type FloatType = Extract<SourceType, 'f32' | 'bf16' | 'f16'>;

/** A weight in NF4 (Dettmers et al. 2023), as bitsandbytes lays it out. */
export interface Nf4Values {
  /** Two a byte, the first in the upper half. */
  readonly codes: Uint8Array;
  /** Of each block of 64 weights; where `double` is given, in 8 bits. */
  readonly absmax: Float32Array | Uint8Array;
  /** absmax = map[its code] · scale of its block of 256 + offset. */
  readonly double: { readonly scales: Float32Array; readonly offset: number } | null;
}

/**
 * Encodes a weight off the event loop on all cores, to the bytes that bitsandbytes' quantize_4bit makes of it. They are the
 * same with any number of threads and on every processor.
 * @param source an even number of values, little-endian, aligned for their type; not to be changed before the promise settles
 * @param map what the codes of absmaxes stand for, ascending; null leaves them float32
 * @returns null where a value is not finite
 */
export async function quantizeNf4(
  source: Uint8Array,
  sourceType: FloatType,
  map: Float32Array | null,
  device: Pick<CpuDevice, 'isa' | 'threads'> = cpuDevice(),
): Promise<Nf4Values | null> {
  const count = source.byteLength / (sourceType === 'f32' ? 4 : 2);
  const blocks = Math.ceil(count / nf4Block);
  const codes = new Uint8Array(count / 2);
  const absmax = new Float32Array(blocks);
  const scales = new Float32Array(Math.ceil(blocks / nf4ScaleBlock));
  const absmaxCodes = new Uint8Array(blocks);
  const job = {
    source,
    sourceType: sourceTypes.indexOf(sourceType),
    codes,
    absmax: bytesOf(absmax),
    double: map && { absmax: absmaxCodes, scales: bytesOf(scales), map: bytesOf(map) },
  };
  const offset = await addon().quantizeNf4(job, device.isa, device.threads);
  if (!Number.isFinite(offset)) return null;
  return map ? { codes, absmax: absmaxCodes, double: { scales, offset } } : { codes, absmax, double: null };
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}
