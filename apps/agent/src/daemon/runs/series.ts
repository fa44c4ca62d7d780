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

type StepSeries = Omit<RunSeries, 'seq' | 'evaluations' | 'checkpoints' | 'resumes' | 'notFinite'>;

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
  const { width, functions } = table;
  const ofMetrics = metrics.map((metric) => new BandBuilder(placeOf(metric), width));
  const ofFunctions = functions.map((_, at) => new BandBuilder(columns.length + at, width));
  const bands = [...ofMetrics, ...ofFunctions];
  const smoothing = startSmoothing(options.smoothing);
  const series: StepSeries = {
    step: [],
    seconds: [],
    tokens: [],
    bands: Object.fromEntries(metrics.map((metric, at) => [metric, ofMetrics[at]?.band])) as StepSeries['bands'],
    rewardByFunction: Object.fromEntries(functions.map((name, at) => [name, (ofFunctions[at] as BandBuilder).band])),
    smoothedLoss: [],
    smoothing,
    extent: null,
  };
  let tokens = 0;
  for (const { index, values } of table.rows(0)) {
    const after = index + values.length / width;
    series.extent = [
      series.extent?.[0] ?? (values[stepAt] as number),
      values[values.length - width + stepAt] as number,
    ];
    // Up to the end of a bucket or of what is shown, whichever comes first.
    for (let at = index; at < after; ) {
      const isShown = at >= start && at < end;
      const bucketEnd = isShown ? endOf(series.step.length) : at < start ? start : table.length;
      const [first, last] = [(at - index) * width, (Math.min(bucketEnd, after) - index) * width];
      let smoothed: number | null = null;
      for (let row = first; row < last; row += width) {
        smoothed = smoothNext(smoothing, values[row + lossAt] as number);
        tokens += values[row + tokensAt] as number;
      }
      at = index + last / width;
      if (!isShown) continue;
      for (const band of bands) band.add(values, first, last);
      if (at < bucketEnd) continue;
      series.step.push(values[last - width + stepAt] as number);
      series.seconds.push(Math.round(10 * (values[last - width + secondsAt] as number)) / 10);
      series.tokens.push(tokens);
      series.smoothedLoss.push(smoothed === null ? null : short(smoothed));
      for (const band of bands) band.close();
    }
  }
  for (const band of bands) band.finish();
  return series;
}

/** The lowest, highest and mean of one column, bucket by bucket. */
class BandBuilder {
  readonly band: Band = { min: [], max: [], mean: [] };
  readonly #place: number;
  readonly #width: number;
  #min = Number.POSITIVE_INFINITY;
  #max = Number.NEGATIVE_INFINITY;
  #sum = 0;
  #count = 0;
  #hasValues = false;

  /** @param width of a row */
  constructor(place: number, width: number) {
    this.#place = place;
    this.#width = width;
  }

  /** Counts in the rows between two places. */
  add(values: Float64Array, first: number, last: number): void {
    let [min, max, sum, count] = [this.#min, this.#max, this.#sum, this.#count];
    for (let at = first + this.#place; at < last; at += this.#width) {
      const value = values[at] as number;
      if (Number.isNaN(value)) continue;
      if (value < min) min = value;
      if (value > max) max = value;
      sum += value;
      count++;
    }
    [this.#min, this.#max, this.#sum, this.#count] = [min, max, sum, count];
  }

  close(): void {
    const isEmpty = this.#count === 0;
    if (!isEmpty) this.#hasValues = true;
    this.band.min.push(isEmpty ? null : short(this.#min));
    this.band.max.push(isEmpty ? null : short(this.#max));
    this.band.mean.push(isEmpty ? null : short(this.#sum / this.#count));
    this.#min = Number.POSITIVE_INFINITY;
    this.#max = Number.NEGATIVE_INFINITY;
    this.#sum = 0;
    this.#count = 0;
  }

  /** Nothing at all is sent as nothing, not as a null for each bucket. */
  finish(): void {
    if (this.#hasValues) return;
    for (const column of Object.values(this.band)) column.length = 0;
  }
}

/** Six digits: more than a screen has points for, and a third of the bytes. */
function short(value: number): number {
  return Number(value.toPrecision(6));
}
