/** Keys that move and zoom a chart. */
import type { KeyboardEvent } from 'react';
import type { Range } from '../../agent/growingSeries.ts';

export function onKey(event: KeyboardEvent, extent: Range, range: Range, onRange: (range: Range) => void): void {
  if (!extent || event.ctrlKey || event.metaKey) return;
  const [from, to] = range ?? extent;
  const width = to - from;
  const move = (by: number) => {
    const start = Math.min(Math.max(extent[0], from + by), extent[1] - width);
    onRange([start, start + width]);
  };
  const zoom = (factor: number) => {
    const [middle, half] = [(from + to) / 2, Math.max(1, (factor * width) / 2)];
    const next = [
      Math.max(extent[0], Math.floor(middle - half)),
      Math.min(extent[1], Math.ceil(middle + half)),
    ] as const;
    onRange(next[0] === extent[0] && next[1] === extent[1] ? null : next);
  };
  const step = Math.max(1, Math.round(width / 5));
  if (event.key === 'ArrowLeft' && range) move(-step);
  else if (event.key === 'ArrowRight' && range) move(step);
  else if (event.key === '+' || event.key === '=') zoom(0.5);
  else if (event.key === '-') zoom(2);
  else if (event.key === '0') onRange(null);
  else return;
  event.preventDefault();
}
