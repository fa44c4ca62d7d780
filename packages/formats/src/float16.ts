/** The float32 value of each of the 65,536 half-precision bit patterns. */
export const HALF_VALUES: Float32Array = new Float32Array(
  new Float16Array(Uint16Array.from({ length: 65_536 }, (_, bits) => bits).buffer),
);

/** A bfloat16 is the upper half of a float32. */
export function bfloat16ToFloat32(source: Uint16Array): Float32Array {
  const bits = new Uint32Array(source.length);
  for (let i = 0; i < source.length; i++) bits[i] = (source[i] as number) << 16; // 30 times as fast as Uint32Array.from
  return new Float32Array(bits.buffer);
}
