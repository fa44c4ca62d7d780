import { bar } from './progressLine.ts';
import { formatCount } from './units.ts';

const barWidth = 40;

/** Counts of values in about ten ranges of one round width, a line each; the range that holds `mark` says so. */
export function formatHistogram(values: readonly number[], mark?: { value: number; label: string }): string {
  const largest = Math.max(...values, 1);
  const width = roundWidth(largest / 10);
  const counts = Array.from({ length: Math.floor(largest / width) + 1 }, () => 0);
  for (const value of values) {
    const index = Math.floor(value / width);
    counts[index] = (counts[index] ?? 0) + 1;
  }
  const most = Math.max(...counts);
  const digits = formatCount(counts.length * width - 1).length;
  return counts
    .map((count, index) => {
      const from = index * width;
      const range = `${formatCount(from).padStart(digits)} – ${formatCount(from + width - 1).padStart(digits)}`;
      const here = mark && mark.value >= from && mark.value < from + width ? `  ← ${mark.label}` : '';
      const filled = bar(count / most, barWidth).replaceAll('░', ' ');
      return `${range}  ${filled}  ${formatCount(count)}${here}`;
    })
    .join('\n');
}

/** The next of 1, 2, 5, 10, 20, 50, … */
function roundWidth(width: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(1, width)));
  const factor = [1, 2, 5, 10].find((candidate) => candidate * power >= width) ?? 10;
  return factor * power;
}
