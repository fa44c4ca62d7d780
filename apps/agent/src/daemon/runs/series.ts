/** From every step of a run to as many buckets as a chart has use for, with nothing between them lost. */
import { smoothNext, startSmoothing } from '@anneal/core/protocol/smoothing';
import { type Band, metrics, type RunSeries } from '@anneal/core/protocol/studio';
import type { StepColumns } from './columns.ts';

export interface SeriesOptions {
  /** Steps, both counted in; null: from the first, to the last. */
  from: number | null;
  to: number | null;
  buckets: number;
  /** Factor of the smoothed loss. */
  smoothing: number;
}

type StepSeries = Pick<RunSeries, 'step' | 'seconds' | 'bands' | 'smoothedLoss' | 'smoothing' | 'notFinite' | 'extent'>;

const mostNotFinite = 100;

/** Buckets of equally many steps. A spike stays in the maximum of its bucket, however many steps that holds. */
export function bucketSteps(columns: StepColumns, options: SeriesOptions): StepSeries {
  const steps = columns.column('step');
  const start = options.from === null ? 0 : columns.indexAfter(options.from - 1);
  const end = options.to === null ? steps.length : columns.indexAfter(options.to);
  const bounds = boundsOf(start, end, options.buckets);
  const last = bounds.map(([, after]) => after - 1);
  const { values, state } = smoothed(columns.column('loss'), options.smoothing, new Set(last));
  const seconds = columns.column('seconds');
  return {
    step: last.map((at) => steps[at] as number),
    seconds: last.map((at) => Math.round(seconds[at] as number)),
    bands: Object.fromEntries(
      metrics.map((name) => [name, bandOf(columns.column(name), bounds)]),
    ) as RunSeries['bands'],
    smoothedLoss: values,
    smoothing: state,
    notFinite: notFinite(columns),
    extent: steps.length === 0 ? null : [steps[0] as number, steps.at(-1) as number],
  };
}

/** The mean of each of so few buckets, for a picture of a few millimeters. */
export function outlineOf(column: Float64Array, buckets: number): number[] {
  return bandOf(column, boundsOf(0, column.length, buckets)).mean.filter((mean) => mean !== null);
}

function boundsOf(start: number, end: number, buckets: number): [from: number, after: number][] {
  const count = Math.min(buckets, Math.max(0, end - start));
  const edge = (index: number) => start + Math.floor((index * (end - start)) / count);
  return Array.from({ length: count }, (_, index) => [edge(index), edge(index + 1)]);
}

function bandOf(column: Float64Array, bounds: readonly [number, number][]): Band {
  const band: Band = { min: [], max: [], mean: [] };
  for (const [from, after] of bounds) {
    let [min, max, sum, count] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0, 0];
    for (let at = from; at < after; at++) {
      const value = column[at] as number;
      if (Number.isNaN(value)) continue;
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
      count++;
    }
    band.min.push(count === 0 ? null : short(min));
    band.max.push(count === 0 ? null : short(max));
    band.mean.push(count === 0 ? null : short(sum / count));
  }
  return band;
}

/** Over every step, whatever part is shown: where a view begins does not change a curve. */
function smoothed(losses: Float64Array, factor: number, wanted: ReadonlySet<number>) {
  const state = startSmoothing(factor);
  const values: (number | null)[] = [];
  for (let at = 0; at < losses.length; at++) {
    const value = smoothNext(state, losses[at] as number);
    if (wanted.has(at)) values.push(value === null ? null : short(value));
  }
  return { values, state };
}

function notFinite(columns: StepColumns): number[] {
  const losses = columns.column('loss');
  const found: number[] = [];
  for (let at = 0; at < losses.length && found.length < mostNotFinite; at++) {
    if (Number.isNaN(losses[at])) found.push(columns.column('step')[at] as number);
  }
  return found;
}

/** Six digits: more than a screen has points for, and a third of the bytes. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}
