/** What the curves of a run are drawn over. Ranges and markers are steps, whatever that is. */
import type { RunSeries } from '@anneal/core/protocol/studio';

/** `tokens`: trained up to a step. `time`: seconds since the run was created. */
export const xAxes = ['step', 'tokens', 'time'] as const;
export type XAxis = (typeof xAxes)[number];

/** Where each bucket of the series stands. */
export function placesOf(axis: XAxis, series: RunSeries): readonly number[] {
  if (axis === 'step') return series.step;
  return axis === 'tokens' ? series.tokens : series.seconds;
}

/** Where a step stands, between the buckets beside it. */
export function placeOfStep(axis: XAxis, series: RunSeries, step: number): number {
  return axis === 'step' ? step : between(series.step, placesOf(axis, series), step);
}

/** The step that stands there. */
export function stepAt(axis: XAxis, series: RunSeries, place: number): number {
  return axis === 'step' ? place : between(placesOf(axis, series), series.step, place);
}

/** The value of `to` where `from`, which ascends, has `value`; at the ends its first or last. */
function between(from: readonly number[], to: readonly number[], value: number): number {
  let low = 0;
  let high = from.length - 1;
  if (high < 0 || value <= (from[0] as number)) return to[0] ?? value;
  if (value >= (from[high] as number)) return to[high] as number;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((from[middle] as number) <= value) low = middle;
    else high = middle;
  }
  const [left, right] = [from[low], from[high]] as [number, number];
  const [start, end] = [to[low], to[high]] as [number, number];
  return start + ((value - left) / (right - left)) * (end - start);
}
