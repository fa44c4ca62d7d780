/** The figures above a chart. */
import type uPlot from 'uplot';
import type { ChartSpec } from './chartSpec.ts';

/** Where the cursor is, or at the last bucket. */
export function showReadout(plot: uPlot, spec: ChartSpec, readout: HTMLElement | null, edges: number): void {
  if (!readout) return;
  const places = plot.data[0];
  const index = plot.cursor.idx ?? places.length - 1;
  const place = places[index];
  if (place === undefined) return readout.replaceChildren();
  const isHovered = plot.cursor.idx !== null && plot.cursor.idx !== undefined;
  const texts: Text[] = isHovered ? [{ text: spec.formatX(place), color: 'muted' }] : [];
  // Several lines beside each other have no legend but this.
  const isNamed = spec.lines.filter(({ color }) => color !== 'faint').length > 1;
  for (const [at, { color, label }] of spec.lines.entries()) {
    const value = plot.data[1 + edges + at]?.[index];
    const figure = value === null || value === undefined ? '–' : spec.format(value);
    const text = isNamed ? `${label} ${figure}` : figure;
    // What is pale enough for a line behind others is too pale to read.
    texts.push({ text, color: color === 'faint' ? 'muted' : color });
  }
  showTexts(readout, texts);
}

interface Text {
  text: string;
  /** Name of a color of the theme. */
  color: string;
}

/** Elements stay, and what is as it was is not touched: it would be laid out with each step. */
function showTexts(readout: HTMLElement, texts: readonly Text[]): void {
  if (readout.childElementCount !== texts.length)
    readout.replaceChildren(...texts.map(() => document.createElement('span')));
  for (const [at, { text, color }] of texts.entries()) {
    const element = readout.children[at] as HTMLElement;
    if (element.textContent !== text) element.textContent = text;
    const wanted = `var(--${color})`;
    if (element.style.color !== wanted) element.style.color = wanted;
  }
}
