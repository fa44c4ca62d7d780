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

export class GrowingSeries {
  /** Grows in place. */
  readonly series: RunSeries;
  /** Steps of a bucket, as those of the agent have: what takes less than a point of the screen is not drawn step by step. */
  readonly #span: number;
  /** Where the last bucket begins: behind this step. Undefined while the last is one of the agent's. */
  #begin: number | undefined;
  /** Finite values in the last bucket. */
  readonly #counts = new Map<Band, number>();

  constructor(series: RunSeries) {
    this.series = series;
    const { step } = series;
    const [first = 0, last = 0] = [step[0], step.at(-1)];
    this.#span = step.length > 1 ? Math.max(1, Math.round((last - first) / (step.length - 1))) : 1;
  }

  /** Adds what came after. Steps outside the range count for averages only. */
  add({ steps, happenings, range, created }: Later): void {
    const { series } = this;
    series.evaluations.push(...happenings.filter((event) => event.type === 'evaluated'));
    series.checkpoints.push(...happenings.filter((event) => event.type === 'checkpoint').map(({ step }) => step));
    series.notFinite.push(...steps.filter(({ loss }) => loss === null).map(({ step }) => step));
    for (const event of steps) {
      for (const name of Object.keys(event.rewardByFunction ?? {}))
        series.rewardByFunction[name] ??= { min: [], max: [], mean: [] };
      const smoothed = smoothNext(series.smoothing, event.loss);
      if (range && (event.step < range[0] || event.step > range[1])) continue;
      this.#openBucket(event.step);
      const at = series.step.length - 1;
      series.step[at] = event.step;
      series.seconds[at] = (Date.parse(event.time) - created) / 1000;
      series.tokens[at] = (series.tokens[at] ?? 0) + event.tokens;
      series.smoothedLoss[at] = smoothed;
      for (const [name, band] of Object.entries(series.bands)) this.#addTo(band, event[name as Metric] ?? null);
      for (const [name, band] of Object.entries(series.rewardByFunction))
        this.#addTo(band, event.rewardByFunction?.[name] ?? null);
    }
    const last = steps.at(-1);
    if (last) series.extent = [series.extent?.[0] ?? (steps[0] as StepEvent).step, last.step];
  }

  /** Makes one for the step, unless the last has room for it. */
  #openBucket(step: number): void {
    if (this.#begin !== undefined && step <= this.#begin + this.#span) return;
    const { series } = this;
    this.#begin = Math.max(series.step.at(-1) ?? 0, step - this.#span);
    this.#counts.clear();
    series.step.push(step);
    series.tokens.push(series.tokens.at(-1) ?? 0);
  }

  /** A quantity that comes for the first time has no value in the buckets before. */
  #addTo(band: Band, value: number | null): void {
    const { min, max, mean } = band;
    if (value === null && mean.length === 0) return;
    const at = this.series.step.length - 1;
    for (const column of [min, max, mean]) while (column.length <= at) column.push(null);
    if (value === null) return;
    const count = (this.#counts.get(band) ?? 0) + 1;
    this.#counts.set(band, count);
    min[at] = Math.min(min[at] ?? value, value);
    max[at] = Math.max(max[at] ?? value, value);
    mean[at] = (mean[at] ?? 0) + (value - (mean[at] ?? 0)) / count;
  }
}
