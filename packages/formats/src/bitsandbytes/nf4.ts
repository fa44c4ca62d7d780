/** Weights that share an absmax, and absmaxes that share a scale where they are quantized themselves. */
export const NF4_BLOCK = 64;
export const NF4_SCALE_BLOCK = 256;

/** What the 16 codes stand for: quantiles of a normal distribution scaled to [-1, 1] (Dettmers et al. 2023, appendix E). */
export const NF4_VALUES = Float32Array.of(
  -1,
  -0.6961928009986877,
  -0.5250730514526367,
  -0.39491748809814453,
  -0.28444138169288635,
  -0.18477343022823334,
  -0.09105003625154495,
  0,
  0.07958029955625534,
  0.16093020141124725,
  0.24611230194568634,
  0.33791524171829224,
  0.44070982933044434,
  0.5626170039176941,
  0.7229568362236023,
  1,
);

/** Whether the absmaxes are float32, or are quantized themselves (double quantization). */
export type Nf4Form = 'single' | 'double';

/** A matrix in NF4, as bitsandbytes stores it. */
export interface StoredNf4 {
  /** Two a byte, the first in the upper half. */
  readonly codes: Uint8Array;
  /** Of each block of 64 weights; where `double` is given, in 8 bits. */
  readonly absmax: Float32Array | Uint8Array;
  /** absmax = absmaxMap[its code] · scale of its block of 256 + offset. */
  readonly double: { readonly scales: Float32Array; readonly offset: number } | null;
}

/**
 * What the 256 codes of absmaxes stand for, ascending: bitsandbytes' dynamic map of 8 bits with sign (Dettmers 2016), bit by
 * bit. Seven powers of ten, the i-th cut into 2^i parts whose middles are taken.
 */
export function absmaxMap(): Float32Array {
  const { fround } = Math;
  const values = [0, 1];
  for (let power = 0; power < 7; power++) {
    const parts = 2 ** power;
    const step = fround(fround(1 - fround(0.1)) / parts);
    // As torch.linspace: from the nearer end.
    const border = (i: number): number => fround(2 * i <= parts ? fround(0.1) + step * i : 1 - step * (parts - i));
    for (let i = 0; i < parts; i++) {
      const middle = fround(fround(border(i) + border(i + 1)) / 2);
      const value = fround(fround(10 ** (power - 6)) * middle);
      values.push(value, -value);
    }
  }
  return Float32Array.from(values.sort((a, b) => a - b));
}

/** Weights `first` … `first + count - 1` in row-major order. */
export function decodeNf4({ codes, absmax, double }: StoredNf4, first: number, count: number): Float32Array {
  const map = double && absmaxMap();
  const absmaxOf = (block: number): number => {
    const stored = absmax[block] as number;
    if (!double || !map) return stored;
    const scale = double.scales[Math.floor(block / NF4_SCALE_BLOCK)] as number;
    return Math.fround(Math.fround((map[stored] as number) * scale) + double.offset);
  };
  const weights = new Float32Array(count);
  for (let at = first; at < first + count; ) {
    const block = Math.floor(at / NF4_BLOCK);
    const end = Math.min((block + 1) * NF4_BLOCK, first + count);
    const values = NF4_VALUES.map((value) => value * absmaxOf(block));
    for (; at < end; at++) {
      const byte = codes[at >> 1] as number;
      weights[at - first] = values[at & 1 ? byte & 15 : byte >> 4] as number;
    }
  }
  return weights;
}
