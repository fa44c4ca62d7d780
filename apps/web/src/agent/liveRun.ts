/**
 * One run as it goes on. Its steps so far come in buckets, which the agent computes over all of them. Later steps make
 * more of them, until there are so many that they are asked for anew. Charts read from here, not through React.
 */
import type { Alert } from '@anneal/core/protocol/alerts';
import type { RunEvent } from '@anneal/core/protocol/events';
import {
  answerMetrics,
  type ListedRun,
  type Metric,
  type RunSeries,
  type StepEvent,
} from '@anneal/core/protocol/studio';
import { isBrokenOff } from './brokenOff.ts';
import { agent } from './connection.ts';
import { GrowingSeries, type Range } from './growingSeries.ts';
import { createStore, isEqualJson } from './store.ts';

const buckets = 800;
/** With those that later steps made. */
const mostBuckets = 2 * buckets;

/** What changes with each step. */
const figures = [
  'step',
  'epoch',
  'loss',
  'tokensPerSecond',
  'peakMemory',
  'updated',
  'seq',
  'remaining',
  'outline',
] as const satisfies readonly (keyof ListedRun)[];
/** What stays for many steps: what shows this alone is not woken by each of them. */
export type RunFacts = Omit<ListedRun, (typeof figures)[number]>;

export interface View {
  range: Range;
  smoothing: number;
}

export class LiveRun {
  readonly key: string;
  /** What is drawn; anew after each change. */
  readonly series = createStore<RunSeries | undefined>(undefined);
  readonly summary = createStore<ListedRun | undefined>(undefined);
  readonly facts = createStore<RunFacts | undefined>(undefined, isEqualJson);
  /** Events that are no step, oldest first. */
  readonly happenings = createStore<readonly RunEvent[] | undefined>(undefined);
  /** Anew after a change only, since charts are drawn with them. */
  readonly alerts = createStore<readonly Alert[]>([], isEqualJson);
  readonly error = createStore<unknown>(undefined);
  /** There is something to draw; undefined until that is known. */
  readonly hasSteps = createStore<boolean | undefined>(undefined);
  /** What it measured of answers that are judged: names of metrics, between spaces; undefined until that is known. */
  readonly judged = createStore<string | undefined>(undefined);
  /** Names of its reward functions, as JSON. */
  readonly rewardFunctions = createStore('[]');
  #view: View;
  /** The buckets with what came after them. */
  #series: GrowingSeries | undefined;
  /** Those that came while buckets are asked for: the answer may be older than they are. */
  #steps: StepEvent[] = [];
  #seq = 0;
  #loading = 0;
  #isLoading = false;
  #subscription: { unsubscribe(): void } | undefined;
  #closed = false;

  constructor(key: string, view: View) {
    this.key = key;
    this.#view = view;
    void this.#open();
  }

  /** The last event that is known. */
  get seq(): number {
    return this.#seq;
  }

  show(view: View): void {
    const { range, smoothing } = this.#view;
    if (range?.[0] === view.range?.[0] && range?.[1] === view.range?.[1] && smoothing === view.smoothing) return;
    this.#view = view;
    void this.#load();
  }

  /**
   * The step with the highest loss in a bucket of the series, or where none is named, in all that is shown; null where there is none.
   * @param index of the bucket
   */
  async highestStep(index: number | null): Promise<number | null> {
    const series = this.series.read.get();
    if (!series || series.step.length === 0) return null;
    const at = index ?? highestOf(series);
    const first = at === 0 ? (this.#view.range?.[0] ?? series.extent?.[0] ?? 0) : (series.step[at - 1] as number) + 1;
    let [from, to] = [first, series.step[at] as number];
    // A bucket has as many steps as the run has for each of its buckets: one or two questions find the one.
    while (from < to) {
      const part = await agent().runs.series.query({ run: this.key, from, to, buckets, smoothing: 0 });
      if (part.step.length === 0) break;
      const highest = highestOf(part);
      if (part.step.length < buckets) return part.step[highest] as number;
      [from, to] = [highest === 0 ? from : (part.step[highest - 1] as number) + 1, part.step[highest] as number];
    }
    return to;
  }

  close(): void {
    this.#closed = true;
    this.#subscription?.unsubscribe();
  }

  async #open(): Promise<void> {
    try {
      const run = { run: this.key };
      const [summary, past] = await Promise.all([agent().runs.get.query(run), agent().runs.happenings.query(run)]);
      if (this.#closed) return;
      this.#summarize(summary);
      this.happenings.set(past.events);
      this.#seq = past.seq;
      await this.#load();
      if (this.#closed) return;
      this.#subscription = agent().runs.events.subscribe(
        { run: this.key, after: this.#seq },
        {
          onData: ({ data }) => this.#add(data.events, data.summary),
          onError: (error) => this.error.set(error),
        },
      );
    } catch (error) {
      if (!isBrokenOff(error)) this.error.set(error);
      else if (!this.#closed) void this.#open();
    }
  }

  /** Asks for the buckets of what is shown; of several answers the one to the last question counts. */
  async #load(): Promise<void> {
    const question = ++this.#loading;
    if (!this.#isLoading) this.#steps = [];
    this.#isLoading = true;
    const { range, smoothing } = this.#view;
    try {
      const answer = await agent().runs.series.query({
        run: this.key,
        from: range?.[0] ?? null,
        to: range?.[1] ?? null,
        buckets,
        smoothing,
      });
      if (this.#closed || question !== this.#loading) return;
      const steps = this.#steps.filter(({ seq }) => seq > answer.seq);
      const happenings = (this.happenings.read.get() ?? []).filter(({ seq }) => seq > answer.seq);
      this.#series = new GrowingSeries(answer);
      this.#extend(steps, happenings);
    } catch (error) {
      if (!isBrokenOff(error)) this.error.set(error);
      else if (!this.#closed && question === this.#loading) return this.#load();
    } finally {
      if (question === this.#loading) this.#isLoading = false;
    }
  }

  #add(events: readonly RunEvent[], summary: ListedRun): void {
    this.#summarize(summary);
    const fresh = events.filter(({ seq }) => seq > this.#seq);
    if (fresh.length === 0) return;
    this.#seq = (fresh.at(-1) as RunEvent).seq;
    const others = fresh.filter((event) => event.type !== 'step');
    if (others.length > 0) this.happenings.set([...(this.happenings.read.get() ?? []), ...others]);
    const steps = fresh.filter((event) => event.type === 'step');
    if (this.#isLoading) this.#steps.push(...steps);
    const isRepeated = fresh.some(({ type }) => type === 'resumed');
    if (isRepeated) {
      this.#steps = [];
      this.#series = undefined; // it may have the steps that come again
    }
    this.#extend(steps, others);
    // Another question each time steps come would leave one that takes long without an answer.
    const isDue = !this.#series || this.#series.series.step.length > mostBuckets;
    if (isRepeated || (isDue && !this.#isLoading)) void this.#load();
  }

  #summarize(summary: ListedRun): void {
    this.summary.set(summary);
    this.facts.set(factsOf(summary));
    this.alerts.set(summary.alerts);
  }

  #extend(steps: readonly StepEvent[], happenings: readonly RunEvent[]): void {
    if (!this.#series) return;
    const created = Date.parse(this.summary.read.get()?.created ?? '');
    this.#series.add({ steps, happenings, range: this.#view.range, created });
    const series = { ...this.#series.series };
    this.hasSteps.set(series.extent !== null);
    const hasValues = (name: Metric): boolean => series.bands[name].mean.length > 0;
    this.judged.set(answerMetrics.filter(hasValues).join(' '));
    this.rewardFunctions.set(JSON.stringify(Object.keys(series.rewardByFunction)));
    this.series.set(series);
  }
}

function factsOf(summary: ListedRun): RunFacts {
  const facts: Partial<ListedRun> = { ...summary };
  for (const figure of figures) delete facts[figure];
  return facts as RunFacts;
}

/** The bucket with the highest loss; where no loss is finite, the last. */
function highestOf({ step, bands: { loss } }: RunSeries): number {
  let [highest, value] = [step.length - 1, Number.NEGATIVE_INFINITY];
  for (const [at, max] of loss.max.entries()) if (max !== null && max > value) [highest, value] = [at, max];
  return highest;
}
