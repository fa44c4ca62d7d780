/** The buckets of a run, which an agent made, go on with the steps that come. */
import type { RunEvent } from '@anneal/core/protocol/events';
import { smoothNext } from '@anneal/core/protocol/smoothing';
import type { Band, Metric, RunSeries, StepEvent } from '@anneal/core/protocol/studio';

/** Steps of the part that is shown; null: all of them. */
export type Range = readonly [from: number, to: number] | null;

export interface Later {
  steps: readonly StepEvent[];
  /** Events that are no step. */
  happenings: readonly RunEvent[];
  range: Range;
  /** When the run was created, in milliseconds since 1970. */
  created: number;
}

/** Adds what came after the buckets, in place, each step a bucket of its own. Steps outside the range count for averages only. */
export function growSeries(series: RunSeries, { steps, happenings, range, created }: Later): void {
  series.evaluations.push(...happenings.filter((event) => event.type === 'evaluated'));
  series.checkpoints.push(...happenings.filter((event) => event.type === 'checkpoint').map(({ step }) => step));
  series.notFinite.push(...steps.filter(({ loss }) => loss === null).map(({ step }) => step));
  for (const event of steps) {
    for (const name of Object.keys(event.rewardByFunction ?? {}))
      series.rewardByFunction[name] ??= { min: [], max: [], mean: [] };
    const smoothed = smoothNext(series.smoothing, event.loss);
    if (range && (event.step < range[0] || event.step > range[1])) continue;
    const before = series.step.push(event.step) - 1;
    series.seconds.push((Date.parse(event.time) - created) / 1000);
    series.tokens.push((series.tokens.at(-1) ?? 0) + event.tokens);
    series.smoothedLoss.push(smoothed);
    for (const [name, band] of Object.entries(series.bands)) add(band, event[name as Metric] ?? null, before);
    for (const [name, band] of Object.entries(series.rewardByFunction))
      add(band, event.rewardByFunction?.[name] ?? null, before);
  }
  const last = steps.at(-1);
  if (last) series.extent = [series.extent?.[0] ?? (steps[0] as StepEvent).step, last.step];
}

/** @param before buckets before that of the value: a quantity that comes for the first time has none in them */
function add({ min, max, mean }: Band, value: number | null, before: number): void {
  if (value === null && mean.length === 0) return;
  for (const column of [min, max, mean]) {
    while (column.length < before) column.push(null);
    column.push(value);
  }
}
