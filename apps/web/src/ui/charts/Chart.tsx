'use client';
/** One chart of a run. uPlot draws it from the run's own store: React neither holds the data nor is woken by them. */
import type { Alert } from '@anneal/core/protocol/alerts';
import type { RunSeries } from '@anneal/core/protocol/studio';
import { useTheme } from 'next-themes';
import { type KeyboardEvent, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { Range } from '../../agent/growSeries.ts';
import type { Store } from '../../agent/store.ts';
import { colorOf } from './colors.ts';
import { Drawing } from './drawing.ts';
import { alertMarkers, drawMarkers, type Marker } from './markers.ts';
import { placeOfStep, placesOf, stepAt, type XAxis } from './xAxis.ts';

export interface Line {
  label: string;
  /** Name of a color of the theme. */
  color: string;
  width: number;
  values(series: RunSeries): readonly (number | null)[];
  /** Fills from the lowest to the highest of each bucket. */
  band?: (series: RunSeries) => { min: readonly (number | null)[]; max: readonly (number | null)[] };
}

export interface ChartSpec {
  title: string;
  /** Told to those who do not see the chart, with how to move in it. */
  description: string;
  height: number;
  lines: readonly Line[];
  markers?: ((series: RunSeries) => readonly Marker[]) | undefined;
  /** The axis begins at 0 and not at the lowest value. */
  fromZero?: boolean;
  format(value: number): string;
  x: XAxis;
  formatX(place: number): string;
}

const doubleClickMilliseconds = 250;

/** Charts of one page share the place of the cursor: each joins by this key when it is made, and leaves when it is destroyed. */
const cursorKey = 'run';

export function Chart({
  spec,
  series,
  range,
  onRange,
  step,
  alerts,
  onPoint,
}: {
  spec: ChartSpec;
  series: Store<RunSeries | undefined>;
  range: Range;
  onRange: (range: Range) => void;
  /** One whose rows are looked at, which is marked; null: none. */
  step: number | null;
  /** Marked at their steps. */
  alerts: readonly Alert[];
  /** A point was clicked, or chosen by Enter: its place in the series, null for the highest of what is shown. */
  onPoint: (index: number | null) => void;
}) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(undefined);
  const click = useRef<{ x: number; timer: ReturnType<typeof setTimeout> | undefined }>({ x: 0, timer: undefined });
  const readout = useRef<HTMLDivElement>(null);
  const latest = useRef({ range, onRange, step, alerts });
  latest.current = { range, onRange, step, alerts };
  const drawing = useRef<Drawing>(undefined);
  const { resolvedTheme } = useTheme();

  // The keyboard and the address move the view, too.
  useEffect(() => {
    drawing.current?.request();
  }, [range, step, alerts]);

  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const plot = new uPlot(
      optionsOf(spec, element, readout.current, series, latest),
      dataOf(spec, series.read.get()),
      element,
    );
    chart.current = plot;
    const drawn = new Drawing(element, () => {
      plot.setData(dataOf(spec, series.read.get()), false);
      applyRange(plot, spec.x, series.read.get(), latest.current.range);
      showReadout(plot, spec, readout.current, edgesOf(spec));
    });
    drawing.current = drawn;
    drawn.now();
    const unsubscribe = series.read.subscribe(() => drawn.request());
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: spec.height }));
    resized.observe(element);
    return () => {
      unsubscribe();
      drawn.end();
      resized.disconnect();
      clearTimeout(click.current.timer);
      plot.destroy();
    };
    // Colors are read when the chart is made.
  }, [spec, series, resolvedTheme]);

  return (
    <figure className="min-w-0">
      <figcaption className="mb-1 flex items-baseline gap-x-3 px-1 max-sm:flex-wrap">
        <span className="whitespace-nowrap font-medium text-[13px]">{spec.title}</span>
        <div
          ref={readout}
          className="figures ml-auto flex h-5 min-w-0 gap-3 overflow-hidden whitespace-nowrap text-[12px]"
          aria-hidden="true"
        />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the keyboard moves and zooms the view */}
      <div
        ref={host}
        role="img"
        tabIndex={0}
        aria-label={spec.description}
        style={{ height: spec.height }}
        onPointerDown={(event) => {
          click.current.x = event.clientX;
        }}
        onClick={(event) => {
          const index = chart.current?.cursor.idx;
          const isDrag = Math.abs(event.clientX - click.current.x) > 4;
          if (isDrag || index === null || index === undefined || event.detail > 1) return;
          // The first click of two is none: two of them show everything.
          click.current.timer = setTimeout(() => onPoint(index), doubleClickMilliseconds);
        }}
        onDoubleClick={() => {
          clearTimeout(click.current.timer);
          onRange(null);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onPoint(chart.current?.cursor.idx ?? null);
          else onKey(event, series.read.get()?.extent ?? null, range, onRange);
        }}
        className="cursor-crosshair"
      />
    </figure>
  );
}

function dataOf(spec: ChartSpec, series: RunSeries | undefined): uPlot.AlignedData {
  if (!series) return [[], ...columnsOf(spec).map(() => [])] as unknown as uPlot.AlignedData;
  return [placesOf(spec.x, series), ...columnsOf(spec).map((values) => values(series))] as unknown as uPlot.AlignedData;
}

/** Bands first, so that lines lie over them: lowest and highest of each, then the lines. */
function columnsOf({ lines }: ChartSpec): ((series: RunSeries) => readonly (number | null)[])[] {
  const edges = lines.flatMap(({ band }) =>
    band ? [(series: RunSeries) => band(series).min, (series: RunSeries) => band(series).max] : [],
  );
  return [...edges, ...lines.map(({ values }) => values)];
}

function optionsOf(
  spec: ChartSpec,
  element: HTMLElement,
  readout: HTMLElement | null,
  series: Store<RunSeries | undefined>,
  latest: { current: { range: Range; onRange: (range: Range) => void; step: number | null; alerts: readonly Alert[] } },
): uPlot.Options {
  const edges = spec.lines.filter(({ band }) => band).flatMap((line) => [line, line]);
  const axis: uPlot.Axis = {
    stroke: colorOf('muted'),
    font: '11px "Inter Variable", sans-serif',
    grid: { stroke: colorOf('line'), width: 1 },
    ticks: { show: false },
  };
  return {
    width: element.clientWidth,
    height: spec.height,
    legend: { show: false },
    padding: [8, 22, 0, 0],
    cursor: {
      sync: { key: cursorKey, scales: ['x', null] },
      drag: { x: true, y: false, setScale: false, dist: 4 },
      points: {
        size: (_, index) => (index <= edges.length ? 0 : 6),
        fill: (_, index) => colorOf(spec.lines[index - 1 - edges.length]?.color ?? 'muted'),
      },
      y: false,
    },
    scales: { x: { time: false }, y: { range: (_, low, high) => rangeOfValues(spec.fromZero ? 0 : low, high) } },
    axes: [
      {
        ...axis,
        size: 26,
        gap: 6,
        grid: { show: false },
        values: (_, places) =>
          places.map((place) => (Number.isInteger(place) || spec.x === 'time' ? spec.formatX(place) : '')),
      },
      { ...axis, size: 52, gap: 6, values: (_, values) => values.map(spec.format) },
    ],
    series: [
      {},
      ...edges.map((line) => ({ label: line.label, stroke: 'transparent', width: 0, points: { show: false } })),
      ...spec.lines.map((line) => ({
        label: line.label,
        stroke: colorOf(line.color),
        width: line.width,
        points: { show: false },
        spanGaps: false,
      })),
    ],
    bands: spec.lines
      .filter(({ band }) => band)
      .map((line, index) => ({ series: [2 * index + 2, 2 * index + 1], fill: colorOf(line.color, 0.2) })),
    hooks: {
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width < 4) return;
          const told = series.read.get();
          if (!told) return;
          const [first, last] = [left, left + width].map((at) => stepAt(spec.x, told, plot.posToVal(at, 'x')));
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          latest.current.onRange([Math.floor(first as number), Math.ceil(last as number)]);
        },
      ],
      setCursor: [(plot) => showReadout(plot, spec, readout, edges.length)],
      draw: [
        (plot) => {
          const told = series.read.get();
          if (!told) return;
          const { step, alerts } = latest.current;
          const chosen: Marker[] = step === null ? [] : [{ kind: 'line', step, color: 'ink' }];
          const markers = [...(spec.markers?.(told) ?? []), ...alertMarkers(alerts), ...chosen];
          drawMarkers(plot, markers, (at) => placeOfStep(spec.x, told, at));
        },
      ],
    },
  };
}

function applyRange(plot: uPlot, axis: XAxis, series: RunSeries | undefined, range: Range): void {
  const steps = range ?? series?.extent ?? [0, 1];
  const [first, last] = steps.map((step) => (series ? placeOfStep(axis, series, step) : step)) as [number, number];
  plot.setScale('x', { min: first, max: last > first ? last : first + 1 });
}

/** Columns of the lowest and highest, which come before those of the lines. */
function edgesOf({ lines }: ChartSpec): number {
  return 2 * lines.filter(({ band }) => band).length;
}

/** With a little air; a line that does not move lies in the middle. */
function rangeOfValues(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const air = high === low ? Math.abs(high) * 0.1 || 1 : 0.06 * (high - low);
  return [low >= 0 ? Math.max(0, low - air) : low - air, high + air];
}

/** Where the cursor is, or at the last bucket. */
function showReadout(plot: uPlot, spec: ChartSpec, readout: HTMLElement | null, edges: number): void {
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

function onKey(event: KeyboardEvent, extent: Range, range: Range, onRange: (range: Range) => void): void {
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
