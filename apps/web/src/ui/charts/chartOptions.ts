/** A chart of a run as uPlot is told. */
import type { Alert } from '@anneal/core/protocol/alerts';
import type { RunSeries } from '@anneal/core/protocol/studio';
import type uPlot from 'uplot';
import type { Range } from '../../agent/growingSeries.ts';
import type { Store } from '../../agent/store.ts';
import type { ChartSpec } from './chartSpec.ts';
import { colorOf, rememberedColors } from './colors.ts';
import { alertMarkers, drawMarkers, extentOfPoints, type Marker } from './markers.ts';
import { showReadout } from './readout.ts';
import { placeOfStep, placesOf, stepAt, type XAxis } from './xAxis.ts';

/** Charts of one page share the place of the cursor: each joins by this key when it is made, and leaves when it is destroyed. */
const cursorKey = 'run';

export function dataOf(spec: ChartSpec, series: RunSeries | undefined): uPlot.AlignedData {
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

export function optionsOf(
  spec: ChartSpec,
  element: HTMLElement,
  readout: HTMLElement | null,
  series: Store<RunSeries | undefined>,
  latest: { current: { range: Range; onRange: (range: Range) => void; step: number | null; alerts: readonly Alert[] } },
): uPlot.Options {
  const markerColor = rememberedColors();
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
    scales: {
      x: { time: false },
      y: {
        range: (_, low, high) => {
          const all = withPoints(spec, series.read.get(), latest.current.range, [low, high]);
          return rangeOfValues(spec.fromZero ? 0 : all[0], all[1]);
        },
      },
    },
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
        // A value between two gaps has no line.
        points: { show: true, size: 4, width: 0, fill: colorOf(line.color), filter: lonePoints },
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
          drawMarkers(plot, markers, (at) => placeOfStep(spec.x, told, at), markerColor);
        },
      ],
    },
  };
}

export function applyRange(plot: uPlot, axis: XAxis, series: RunSeries | undefined, range: Range): void {
  const steps = range ?? series?.extent ?? [0, 1];
  const [first, last] = steps.map((step) => (series ? placeOfStep(axis, series, step) : step)) as [number, number];
  plot.setScale('x', { min: first, max: last > first ? last : first + 1 });
}

/** Columns of the lowest and highest, which come before those of the lines. */
export function edgesOf({ lines }: ChartSpec): number {
  return 2 * lines.filter(({ band }) => band).length;
}

/** The values of the lines and of the points that are marked: an evaluation lies where no step does. */
function withPoints(
  spec: ChartSpec,
  series: RunSeries | undefined,
  range: Range,
  [low, high]: readonly [number | null, number | null],
): readonly [number | null, number | null] {
  if (!series || !spec.markers) return [low, high];
  const points = extentOfPoints(spec.markers(series), range ?? series.extent ?? [0, 0]);
  if (!points) return [low, high];
  return [Math.min(low ?? points[0], points[0]), Math.max(high ?? points[1], points[1])];
}

/** With a little air; a line that does not move lies in the middle. */
function rangeOfValues(low: number | null, high: number | null): [number, number] {
  if (low === null || high === null) return [0, 1];
  const air = high === low ? Math.abs(high) * 0.1 || 1 : 0.06 * (high - low);
  return [low >= 0 ? Math.max(0, low - air) : low - air, high + air];
}

function lonePoints(plot: uPlot, index: number): number[] {
  return loneValues(plot.data[index] as (number | null | undefined)[]);
}

/** Where a value has none beside it. */
export function loneValues(values: readonly (number | null | undefined)[]): number[] {
  const has = (at: number) => values[at] !== null && values[at] !== undefined;
  return values.flatMap((_, at) => (has(at) && !has(at - 1) && !has(at + 1) ? [at] : []));
}
