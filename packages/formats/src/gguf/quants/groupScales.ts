/**
 * Q4_K and Q5_K share a table of 8 six-bit scales and 8 six-bit minima in 12 bytes: the first four of each in the low six bits
 * of bytes 0–3 and 4–7; the last four split into a low nibble in bytes 8–11 (scale low, minimum high) and the two bits left
 * over in bytes 0–3 and 4–7.
 */
export function scaleOf(source: Uint8Array, at: number, group: number): number {
  if (group < 4) return (source[at + group] as number) & 63;
  return ((source[at + group + 4] as number) & 15) | (((source[at + group - 4] as number) >> 6) << 4);
}

export function minimumOf(source: Uint8Array, at: number, group: number): number {
  if (group < 4) return (source[at + group + 4] as number) & 63;
  return ((source[at + group + 4] as number) >> 4) | (((source[at + group] as number) >> 6) << 4);
}
