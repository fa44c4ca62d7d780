/**
 * What 256 codes stand for, ascending: bitsandbytes' dynamic map of 8 bits (Dettmers 2016), bit by bit. Seven powers of ten,
 * the i-th cut into equal parts whose middles are taken: 2^i with signs, 2^(i + 1) without; 0 and 1 besides.
 */
export function dynamicMap(isSigned: boolean): Float32Array {
  const { fround } = Math;
  const values = [0, 1];
  for (let power = 0; power < 7; power++) {
    const parts = 2 ** (isSigned ? power : power + 1);
    const step = fround(fround(1 - fround(0.1)) / parts);
    // As torch.linspace: from the nearer end.
    const border = (i: number): number => fround(2 * i <= parts ? fround(0.1) + step * i : 1 - step * (parts - i));
    for (let i = 0; i < parts; i++) {
      const middle = fround(fround(border(i) + border(i + 1)) / 2);
      const value = fround(fround(10 ** (power - 6)) * middle);
      values.push(value);
      if (isSigned) values.push(-value);
    }
  }
  return Float32Array.from(values.sort((a, b) => a - b));
}

/** The code whose value is nearest, the even one of two; of a signed map, no code of the other sign. */
export function nearestCode(map: Float32Array, x: number): number {
  let low = 0;
  for (let high = 255; low < high; ) {
    const code = (low + high) >> 1;
    const middle = Math.fround(Math.fround((map[code] as number) + (map[code + 1] as number)) / 2);
    if (x > middle || (x === middle && code % 2 === 1)) low = code + 1;
    else high = code;
  }
  if (x < 0 && (map[low] as number) >= 0) return low - 1;
  return low;
}
