import type { HostArray } from '../engine.ts';
import type { DType } from '../tensor.ts';

/** Numbers in [0, 1) that follow from the seed alone: mulberry32. */
export type Random = () => number;

export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** A seed from a text: FNV-1a. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Normally distributed: Box & Muller. */
export function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

export function integer(random: Random, below: number): number {
  return Math.floor(random() * below);
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** The upper half of a float32, rounded to nearest, ties to even. */
function bf16Bits(value: number): number {
  float[0] = value;
  const all = bits[0] as number;
  return ((all + 0x7fff + ((all >>> 16) & 1)) >>> 16) & 0xffff;
}

export function fromBf16Bits(half: number): number {
  bits[0] = half << 16;
  return float[0] as number;
}

export function roundToBf16(value: number): number {
  return fromBf16Bits(bf16Bits(value));
}

/** The values in an element type, as the engine takes them. */
export function hostArray(data: Float64Array, dtype: DType): HostArray {
  if (dtype === 'f32') return Float32Array.from(data);
  if (dtype === 'bf16') return Uint16Array.from(data, bf16Bits);
  if (dtype === 'u8') return Uint8Array.from(data);
  return dtype === 'f64' ? data : Int32Array.from(data);
}
