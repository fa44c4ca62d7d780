import { bar } from './progressLine.ts';
import { pad } from './table.ts';
import { formatCount } from './units.ts';

const mostLines = 14;
const barWidth = 24;

/** Counts by ranges of one width; `counts[i]` are the values from i·width on. */
export interface Series {
  title: string;
  counts: readonly number[];
}

/**
 * Bars beside each other, a line for each range; narrow ranges are joined until they fit on a screen. The range that
 * holds `mark` says so, when there is one.
 */
export function formatHistogram(
  width: number,
  series: readonly Series[],
  mark?: { value: number; label: string },
): string {
  const bins = Math.max(...series.map(({ counts }) => counts.length));
  const joined = Math.ceil(bins / mostLines);
  const lines = Math.ceil(bins / joined);
  const columns = series.map(({ title, counts }) => {
    const sums = Array.from({ length: lines }, (_, line) =>
      counts.slice(line * joined, (line + 1) * joined).reduce((sum, count) => sum + count, 0),
    );
    const most = Math.max(...sums, 1);
    const numbers = sums.map(formatCount);
    const digits = Math.max(...numbers.map((text) => text.length));
    const cells = sums.map(
      (sum, line) => `${bar(sum / most, barWidth).replaceAll('░', ' ')} ${pad(numbers[line] ?? '', digits, 'right')}`,
    );
    return [pad(title, barWidth + 1 + digits, 'left'), ...cells];
  });
  const step = width * joined;
  const digits = formatCount(lines * step - 1).length;
  const ranges = Array.from({ length: lines }, (_, line) => {
    const [from, to] = [line * step, (line + 1) * step - 1];
    return `${formatCount(from).padStart(digits)} – ${formatCount(to).padStart(digits)}`;
  });
  return ['', ...ranges]
    .map((range, index) => {
      const line = index - 1;
      const here = mark && line >= 0 && Math.floor(mark.value / step) === line ? `  ← ${mark.label}` : '';
      return `${pad(range, 2 * digits + 3, 'left')}  ${columns.map((column) => column[index]).join('  ')}${here}`.trimEnd();
    })
    .join('\n');
}
