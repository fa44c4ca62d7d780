'use client';
/** One quantity of several runs over each other. The band of each goes from the lowest to the highest value of a bucket. */
import { useTheme } from 'next-themes';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import { colorOf } from '../charts/colors.ts';
import type { Columns, RunStyle } from './lines.ts';

interface OverlaidRun {
  key: string;
  name: string;
  style: RunStyle;
  columns: Columns;
}

interface Props {
  title: string;
  height: number;
  runs: readonly OverlaidRun[];
  hidden: ReadonlySet<string>;
  highlighted: string | null;
  onHighlight: (run: string | null) => void;
  formatX: (place: number) => string;
  format: (value: number) => string;
}

/** Series of each run: lowest, highest, mean. */
const seriesPerRun = 3;
const fadedAlpha = 0.15;
/** So near in pixels the cursor is at a line. */
const focusPixels = 24;

export function OverlaidChart(props: Props) {
  const { title, height, runs, hidden, highlighted } = props;
  const host = useRef<HTMLDivElement>(null);
  const readout = useRef<HTMLSpanElement>(null);
  const chart = useRef<uPlot>(undefined);
  const latest = useRef(props);
  latest.current = props;
  const { resolvedTheme } = useTheme();
  const identity = JSON.stringify(runs.map(({ key }) => key));

  // Colors and texts are read when the chart is made.
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    const plot = new uPlot(optionsOf(element, readout, latest), dataOf(latest.current.runs), element);
    chart.current = plot;
    const resized = new ResizeObserver(() =>
      plot.setSize({ width: element.clientWidth, height: latest.current.height }),
    );
    resized.observe(element);
    return () => {
      chart.current = undefined;
      resized.disconnect();
      plot.destroy();
    };
  }, [identity, title, resolvedTheme]);

  useEffect(() => {
    const plot = chart.current;
    if (!plot) return;
    const places = plot.data[0];
    const { min, max } = plot.scales['x'] as uPlot.Scale;
    // A new chart has no scale before it is drawn.
    const showsAll = typeof min !== 'number' || (min === places[0] && max === places.at(-1));
    plot.setData(dataOf(runs), showsAll);
    if (!showsAll) plot.redraw();
  }, [runs]);

  useEffect(() => {
    const plot = chart.current;
    if (!plot) return;
    plot.batch(() => {
      for (const [at, { key }] of runs.entries()) {
        for (let part = 1; part <= seriesPerRun; part++) {
          const index = seriesPerRun * at + part;
          const series = plot.series[index] as uPlot.Series;
          series.alpha = highlighted === null || highlighted === key ? 1 : fadedAlpha;
          if (series.show === hidden.has(key)) plot.setSeries(index, { show: !hidden.has(key) });
        }
      }
      plot.redraw(false);
    });
  }, [hidden, highlighted, runs, identity, resolvedTheme]);

  return (
    <figure className="min-w-0">
      <figcaption className="mb-1 flex items-baseline gap-x-3 px-1">
        <span className="whitespace-nowrap font-medium text-[13px]">{title}</span>
        <span
          ref={readout}
          className="figures ml-auto h-5 min-w-0 truncate text-[12px] text-muted"
          aria-hidden="true"
        />
      </figcaption>
      <div ref={host} role="img" aria-label={title} style={{ height }} className="cursor-crosshair" />
    </figure>
  );
}

function dataOf(runs: readonly OverlaidRun[]): uPlot.AlignedData {
  return uPlot.join(runs.map(({ columns }) => columns as unknown as uPlot.AlignedData));
}

function optionsOf(
  element: HTMLElement,
  readout: { current: HTMLElement | null },
  latest: { current: Props },
): uPlot.Options {
  const axis: uPlot.Axis = {
    stroke: colorOf('muted'),
    font: '11px "Inter Variable", sans-serif',
    grid: { stroke: colorOf('line'), width: 1 },
    ticks: { show: false },
  };
  const { runs, height } = latest.current;
  return {
    width: element.clientWidth,
    height,
    legend: { show: false },
    // What is faded follows from what is highlighted, in all charts alike.
    focus: { alpha: 1 },
    padding: [8, 22, 0, 0],
    cursor: {
      sync: { key: 'compare', scales: ['x', null] },
      drag: { x: true, y: false, dist: 4 },
      focus: { prox: focusPixels },
      points: { show: false },
      y: false,
    },
    scales: { x: { time: false } },
    axes: [
      {
        ...axis,
        size: 26,
        gap: 6,
        grid: { show: false },
        values: (_, places) => places.map((place) => latest.current.formatX(place)),
      },
      { ...axis, size: 60, gap: 6, values: (_, values) => values.map((value) => latest.current.format(value)) },
    ],
    series: [{}, ...runs.flatMap(seriesOf)],
    bands: runs.map(({ style }, at) => ({
      series: [seriesPerRun * at + 2, seriesPerRun * at + 1],
      fill: colorOf(style.color, 0.12),
    })),
    hooks: {
      setSeries: [
        (_, index, changed) => {
          if (!('focus' in changed)) return; // shown or hidden
          latest.current.onHighlight(index === null ? null : (runAt(latest.current, index)?.key ?? null));
        },
      ],
      setCursor: [(plot) => tell(plot, readout.current, latest.current)],
    },
  };
}

function seriesOf({ name, style }: OverlaidRun): uPlot.Series[] {
  const edge: uPlot.Series = { label: name, stroke: 'transparent', width: 0, points: { show: false } };
  const line = { label: name, stroke: colorOf(style.color), width: 1.5, dash: [...style.dash], spanGaps: false };
  // A single value is no line.
  return [edge, edge, { ...line, points: { show: (plot, index) => countOf(plot.data[index]) <= 2, size: 6 } }];
}

function countOf(values: uPlot.AlignedData[number] | undefined): number {
  let count = 0;
  for (const value of values ?? []) if (value !== null && value !== undefined && ++count > 2) break;
  return count;
}

function runAt({ runs }: Props, series: number): OverlaidRun | undefined {
  return runs[Math.floor((series - 1) / seriesPerRun)];
}

/** Where the cursor is, and the value of the run that is highlighted. */
function tell(plot: uPlot, readout: HTMLElement | null, props: Props): void {
  const { idx } = plot.cursor;
  if (!readout) return;
  const place = idx === null || idx === undefined ? undefined : plot.data[0][idx];
  const at = props.runs.findIndex(({ key }) => key === props.highlighted);
  const value = at < 0 || place === undefined ? undefined : plot.data[seriesPerRun * (at + 1)]?.[idx as number];
  readout.textContent = [
    place === undefined ? '' : props.formatX(place),
    value === null || value === undefined ? '' : `${props.runs[at]?.name} ${props.format(value)}`,
  ]
    .filter(Boolean)
    .join(' · ');
}
