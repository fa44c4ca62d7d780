import { formatCount } from '../units.ts';
import { bar } from './progressLine.ts';
import { pad } from './table.ts';

const mostLines = 14;
const barWidth = 24;

/** Counts by ranges of one width; `counts[i]` are the values from i·width on. */
export interface Series {
  title: string;
  counts: readonly number[];
}

/**
 * Bars beside each other, a line for each range; narrow ranges are joined until they fit on a screen. The range that
 * holds `mark` says so, when there is one. With `open` the last count is of everything beyond the others, and has a line of its own.
 */
export function formatHistogram(
  width: number,
  series: readonly Series[],
  mark?: { value: number; label: string },
  open = false,
): string {
  const bins = Math.max(...series.map(({ counts }) => counts.length)) - (open ? 1 : 0);
  const joined = Math.ceil(bins / (open ? mostLines - 1 : mostLines));
  const closed = Math.ceil(bins / joined);
  const lines = closed + (open ? 1 : 0);
  const end = (line: number) => (line < closed ? Math.min(bins, (line + 1) * joined) : bins + 1);
  const start = (line: number) => (line < closed ? line * joined : bins);
  const columns = series.map(({ title, counts }) => {
    const sums = Array.from({ length: lines }, (_, line) =>
      counts.slice(start(line), end(line)).reduce((sum, count) => sum + count, 0),
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
    const from = formatCount(start(line) * width).padStart(digits);
    return line < closed ? `${from} – ${formatCount(end(line) * width - 1).padStart(digits)}` : `${from} and more`;
  });
  const lineOf = (value: number) => (value >= bins * width && open ? closed : Math.floor(value / step));
  return ['', ...ranges]
    .map((range, index) => {
      const line = index - 1;
      const here = mark && line >= 0 && lineOf(mark.value) === line ? `  ← ${mark.label}` : '';
      return `${pad(range, Math.max(2 * digits + 3, open ? digits + 9 : 0), 'left')}  ${columns.map((column) => column[index]).join('  ')}${here}`.trimEnd();
    })
    .join('\n');
}
