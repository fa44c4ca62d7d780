/** How many rows have how many tokens. Bin i counts lengths from i·width to (i+1)·width - 1. */
export interface Histogram {
  readonly width: number;
  /** The last bin counts all longer rows, too: a few outliers would else take the room of all others. */
  readonly open: boolean;
  /** By all tokens of a row, whether it is trained or not. */
  readonly total: readonly number[];
  /** By its target tokens. */
  readonly supervised: readonly number[];
}

const BINS = 40;

/** A length is an outlier when it is this many times as long as 98 % of all. */
const OUTLIER = 4;

/** About forty bins of a round width over all lengths but outliers. */
export function histogramOf(total: readonly number[], supervised: readonly number[]): Histogram {
  const longest = total.reduce((most, length) => Math.max(most, length), 1);
  const usual = Math.max(1, total.toSorted((a, b) => a - b)[Math.ceil(0.98 * total.length) - 1] ?? longest);
  const open = longest > OUTLIER * usual;
  const width = roundUp(Math.ceil(((open ? usual : longest) + 1) / BINS));
  const bins = Math.floor((open ? usual : longest) / width) + (open ? 2 : 1);
  const count = (lengths: readonly number[]): number[] => {
    const counts = Array.from({ length: bins }, () => 0);
    for (const length of lengths) {
      const bin = Math.min(bins - 1, Math.floor(length / width));
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts;
  };
  return { width, open, total: count(total), supervised: count(supervised) };
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((step) => step * power >= value) as number) * power;
}
