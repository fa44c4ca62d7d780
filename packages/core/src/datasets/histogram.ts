/** How many rows have how many tokens. Bin i counts lengths from i·width to (i+1)·width - 1. */
export interface Histogram {
  readonly width: number;
  /** By all tokens of a row, whether it is trained or not. */
  readonly total: readonly number[];
  /** By its supervised tokens. */
  readonly supervised: readonly number[];
}

const BINS = 40;

/** About forty bins of a round width over all lengths. */
export function histogramOf(total: readonly number[], supervised: readonly number[]): Histogram {
  const longest = total.reduce((most, length) => Math.max(most, length), 1);
  const width = roundUp(Math.ceil((longest + 1) / BINS));
  const bins = Math.floor(longest / width) + 1;
  const count = (lengths: readonly number[]): number[] => {
    const counts = Array.from({ length: bins }, () => 0);
    for (const length of lengths) {
      const bin = Math.floor(length / width);
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts;
  };
  return { width, total: count(total), supervised: count(supervised) };
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) as number) * power;
}
