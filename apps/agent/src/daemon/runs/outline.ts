/** A series in few points, for a picture of a few millimeters, kept up as the series grows. */
import { z } from 'zod';

const points = 32;

export const keptOutlineSchema = z.object({
  /** Values that make a point. */
  width: z.int().min(1),
  values: z.int().min(0),
  sums: z.array(z.number()),
  counts: z.array(z.int()),
});
export type KeptOutline = z.infer<typeof keptOutlineSchema>;

/** Equally many values make a point, and twice as many once there are twice as many points as wanted. */
export class Outline {
  readonly kept: KeptOutline;

  constructor(kept: KeptOutline = { width: 1, values: 0, sums: [], counts: [] }) {
    this.kept = kept;
  }

  /** A value that is not finite has no part in its point. */
  add(value: number): void {
    const { kept } = this;
    if (kept.values === 2 * points * kept.width) this.#halve();
    const point = Math.floor(kept.values++ / kept.width);
    const isFinite = Number.isFinite(value);
    kept.sums[point] = (kept.sums[point] ?? 0) + (isFinite ? value : 0);
    kept.counts[point] = (kept.counts[point] ?? 0) + (isFinite ? 1 : 0);
  }

  /** The mean of each point that has a value. */
  get means(): number[] {
    return this.kept.sums.flatMap((sum, point) => {
      const count = this.kept.counts[point] as number;
      return count === 0 ? [] : [Number((sum / count).toPrecision(6))];
    });
  }

  #halve(): void {
    this.kept.sums = sumsOfPairs(this.kept.sums);
    this.kept.counts = sumsOfPairs(this.kept.counts);
    this.kept.width *= 2;
  }
}

function sumsOfPairs(values: readonly number[]): number[] {
  return Array.from({ length: points }, (_, pair) => (values[2 * pair] as number) + (values[2 * pair + 1] as number));
}
