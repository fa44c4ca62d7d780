'use client';
/** One chart of a run. uPlot draws it from the run's own store: React neither holds the data nor is woken by them. */
import type { Alert } from '@anneal/core/protocol/alerts';
import type { RunSeries } from '@anneal/core/protocol/studio';
import { useTheme } from 'next-themes';
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import type { Range } from '../../agent/growingSeries.ts';
import type { Store } from '../../agent/store.ts';
import { ExplainedTitle } from '../ExplainedTitle.tsx';
import { onKey } from './chartKeys.ts';
import { applyRange, dataOf, edgesOf, optionsOf } from './chartOptions.ts';
import type { ChartSpec } from './chartSpec.ts';
import { Drawing } from './drawing.ts';
import { showReadout } from './readout.ts';

const doubleClickMilliseconds = 250;

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
        <span className="whitespace-nowrap font-medium text-[13px]">
          <ExplainedTitle text={spec.title} />
        </span>
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
