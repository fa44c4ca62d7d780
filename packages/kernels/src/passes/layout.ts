/** Every buffer starts on a cache line, which is also the width of the widest vector register. */
export const alignment = 64;

export function align(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

export interface Interval {
  readonly bytes: number;
  /** First and last position at which the bytes are in use, both included. */
  readonly first: number;
  readonly last: number;
}

/**
 * Offsets such that no two intervals that are alive together overlap: largest first, each at the lowest offset that is free
 * during its life (Pisarchyk & Lee 2020, "greedy by size"). Deterministic.
 */
export function layOut<I extends Interval>(intervals: readonly I[]): { offsets: Map<I, number>; bytes: number } {
  const order = intervals.map((interval, index) => ({ interval, index }));
  order.sort((a, b) => b.interval.bytes - a.interval.bytes || a.index - b.index);
  const offsets = new Map<I, number>();
  const placed: { interval: I; offset: number }[] = []; // by offset
  let total = 0;
  for (const { interval } of order) {
    let offset = 0;
    for (const other of placed) {
      if (other.interval.last < interval.first || other.interval.first > interval.last) continue;
      if (offset + align(interval.bytes) <= other.offset) break;
      offset = Math.max(offset, other.offset + align(other.interval.bytes));
    }
    offsets.set(interval, offset);
    const at = placed.findIndex((p) => p.offset > offset);
    placed.splice(at < 0 ? placed.length : at, 0, { interval, offset });
    total = Math.max(total, offset + align(interval.bytes));
  }
  return { offsets, bytes: total };
}
