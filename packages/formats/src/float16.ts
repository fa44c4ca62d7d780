/**
 * IEEE half precision and bfloat16 to and from float32, elementwise on raw bit patterns.
 * To the narrower type: round to nearest, ties to even; overflow gives infinity; NaN stays NaN (quiet).
 */

/** The float32 value of each of the 65,536 half-precision bit patterns (256 KiB, built once at import in about 1 ms). */
export const HALF_VALUES: Float32Array = buildHalfValues();

function buildHalfValues(): Float32Array {
  const values = new Float32Array(65_536);
  for (let bits = 0; bits < 65_536; bits++) {
    const sign = bits & 0x8000 ? -1 : 1;
    const exponent = (bits >> 10) & 31;
    const fraction = bits & 1023;
    if (exponent === 31) values[bits] = fraction === 0 ? sign * Infinity : Number.NaN;
    else if (exponent === 0) values[bits] = sign * fraction * 2 ** -24;
    else values[bits] = sign * (1024 + fraction) * 2 ** (exponent - 25);
  }
  return values;
}

export function float16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  assertRoom(source, target);
  for (let i = 0; i < source.length; i++) target[i] = HALF_VALUES[source[i] as number] as number;
  return target;
}

export function bfloat16ToFloat32(
  source: Uint16Array,
  target: Float32Array = new Float32Array(source.length),
): Float32Array {
  assertRoom(source, target);
  const bits = new Uint32Array(target.buffer, target.byteOffset, target.length);
  for (let i = 0; i < source.length; i++) bits[i] = (source[i] as number) << 16;
  return target;
}

export function float32ToFloat16(
  source: Float32Array,
  target: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  assertRoom(source, target);
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < source.length; i++) target[i] = halfBits(bits[i] as number);
  return target;
}

export function float32ToBfloat16(
  source: Float32Array,
  target: Uint16Array = new Uint16Array(source.length),
): Uint16Array {
  assertRoom(source, target);
  const bits = new Uint32Array(source.buffer, source.byteOffset, source.length);
  for (let i = 0; i < source.length; i++) {
    const b = bits[i] as number;
    const isNaN = (b & 0x7fffffff) > 0x7f800000;
    target[i] = isNaN ? (b >>> 16) | 0x40 : (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
  }
  return target;
}

const scratch = new Float32Array(1);
const scratchBits = new Uint32Array(scratch.buffer);

/** Bit pattern of the half-precision number nearest to `value`. */
export function toHalf(value: number): number {
  scratch[0] = value;
  return halfBits(scratchBits[0] as number);
}

/** float32 bits → float16 bits. */
function halfBits(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fffffff;
  if (magnitude >= 0x47800000) return sign | (magnitude > 0x7f800000 ? 0x7e00 : 0x7c00); // ≥ 65,536, infinity or NaN
  if (magnitude < 0x38800000) {
    // Below the smallest normal half (2⁻¹⁴): adding 0.5 lines the fraction up with float32's last bits, and the
    // addition itself rounds to nearest even.
    scratchBits[0] = magnitude;
    scratch[0] = (scratch[0] as number) + 0.5;
    return sign | ((scratchBits[0] as number) - 0x3f000000);
  }
  const tieToEven = (magnitude >>> 13) & 1;
  return sign | ((magnitude - 0x38000000 + 0xfff + tieToEven) >>> 13); // 0x38000000: exponent bias 127 → 15
}

function assertRoom(source: { length: number }, target: { length: number }): void {
  if (target.length < source.length) throw new RangeError(`${source.length} values do not fit into ${target.length}`);
}
