/** From every step of a run to as many buckets as a chart has use for, with nothing between them lost. */
import { smoothNext, startSmoothing } from '@anneal/core/protocol/smoothing';
import { type Band, metrics, type RunSeries } from '@anneal/core/protocol/studio';
import { columns, placeOf, type StepTable } from './stepTable.ts';

export interface SeriesOptions {
  /** Steps, both counted in; null: from the first, to the last. */
  from: number | null;
  to: number | null;
  buckets: number;
  /** Factor of the smoothed loss. */
  smoothing: number;
}

type StepSeries = Pick<RunSeries, 'step' | 'seconds' | 'tokens' | 'bands' | 'smoothedLoss' | 'smoothing' | 'extent'>;

/**
 * Buckets of equally many steps. A spike stays in the maximum of its bucket, however many steps that holds. Every step of the run is
 * looked at, whatever part is shown: where a view begins does not change a curve or a count.
 */
export function bucketSteps(table: StepTable, options: SeriesOptions): StepSeries {
  const start = options.from === null ? 0 : table.indexAfter(options.from - 1);
  const end = options.to === null ? table.length : table.indexAfter(options.to);
  const count = Math.min(options.buckets, Math.max(0, end - start));
  const endOf = (bucket: number) => start + Math.floor(((bucket + 1) * (end - start)) / count);
  const [stepAt, secondsAt, lossAt, tokensAt] = (['step', 'seconds', 'loss', 'tokens'] as const).map(placeOf) as [
    number,
    number,
    number,
    number,
  ];
  const bands = metrics.map((metric) => new BandBuilder(placeOf(metric)));
  const smoothing = startSmoothing(options.smoothing);
  const series: StepSeries = {
    step: [],
    seconds: [],
    tokens: [],
    bands: Object.fromEntries(metrics.map((metric, at) => [metric, bands[at]?.band])) as StepSeries['bands'],
    smoothedLoss: [],
    smoothing,
    extent: null,
  };
  let tokens = 0;
  let bucketEnd = endOf(0);
  for (const { index, values } of table.rows(0)) {
    const [first, last] = [values[stepAt], values[values.length - columns.length + stepAt]] as [number, number];
    series.extent = [series.extent?.[0] ?? first, last];
    for (let row = 0, at = index; row < values.length; row += columns.length, at++) {
      const smoothed = smoothNext(smoothing, values[row + lossAt] as number);
      tokens += values[row + tokensAt] as number;
      if (at < start || at >= end) continue;
      for (const band of bands) band.add(values, row);
      if (at + 1 < bucketEnd) continue;
      bucketEnd = endOf(series.step.push(values[row + stepAt] as number));
      series.seconds.push(Math.round(values[row + secondsAt] as number));
      series.tokens.push(tokens);
      series.smoothedLoss.push(smoothed === null ? null : short(smoothed));
      for (const band of bands) band.close();
    }
  }
  return series;
}

/** The lowest, highest and mean of one column, bucket by bucket. */
class BandBuilder {
  readonly band: Band = { min: [], max: [], mean: [] };
  readonly #place: number;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #sum = 0;
  #count = 0;

  constructor(place: number) {
    this.#place = place;
  }

  add(values: Float64Array, row: number): void {
    const value = values[row + this.#place] as number;
    if (Number.isNaN(value)) return;
    if (value < this.#min) this.#min = value;
    if (value > this.#max) this.#max = value;
    this.#sum += value;
    this.#count++;
  }

  close(): void {
    const isEmpty = this.#count === 0;
    this.band.min.push(isEmpty ? null : short(this.#min));
    this.band.max.push(isEmpty ? null : short(this.#max));
    this.band.mean.push(isEmpty ? null : short(this.#sum / this.#count));
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
    this.#sum = 0;
    this.#count = 0;
  }
}

/** Six digits: more than a screen has points for, and a third of the bytes. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}
