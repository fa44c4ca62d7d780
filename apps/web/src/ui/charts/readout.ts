/** The figures above a chart. */
import type uPlot from 'uplot';
import type { ChartSpec } from './chartSpec.ts';

/** Where the cursor is, or at the last bucket. */
export function showReadout(plot: uPlot, spec: ChartSpec, readout: HTMLElement | null, edges: number): void {
  if (!readout) return;
  const places = plot.data[0];
  const index = plot.cursor.idx ?? places.length - 1;
  const place = places[index];
  readout.replaceChildren();
  if (place === undefined) return;
  const isHovered = plot.cursor.idx !== null && plot.cursor.idx !== undefined;
  if (isHovered) readout.append(textOf(spec.formatX(place), 'var(--muted)'));
  // What is pale enough for a line behind others is too pale to read.
  for (const [at, line] of spec.lines.entries()) {
    const value = plot.data[1 + edges + at]?.[index];
    readout.append(
      textOf(
        value === null || value === undefined ? '–' : spec.format(value),
        `var(--${line.color === 'faint' ? 'muted' : line.color})`,
      ),
    );
  }
}

function textOf(text: string, color: string): HTMLElement {
  const element = document.createElement('span');
  element.textContent = text;
  element.style.color = color;
  return element;
}
