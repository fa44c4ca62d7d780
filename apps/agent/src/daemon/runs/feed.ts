/** One run as the daemon sees it, for however many clients watch. */
import { hostname } from 'node:os';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { isTerminal, type RunEvent } from '@anneal/core/protocol/events';
import type { QueuePlace, RefusedRun } from '@anneal/core/protocol/queue';
import type { ListedRun, RunHappenings, RunNews, RunSeries, ShownState } from '@anneal/core/protocol/studio';
import { readRemarks } from '@anneal/core/trainer/remarks';
import { assertIsRun } from '@anneal/core/trainer/runFiles';
import { type RunOwner, runOwner } from '@anneal/core/trainer/runLock';
import { alertsOf } from '../../service/runs/alerts.ts';
import { stampOf } from '../../service/runs/stamp.ts';
import { EventLog } from './eventLog.ts';
import type { RunHistory } from './history.ts';
import type { KeptHistories } from './keptHistories.ts';
import { deviceIn, namesIn, type RecipeNames } from './recipeNames.ts';
import { remainingSeconds } from './remaining.ts';
import type { IndexedRun, RunDigest, RunIndex } from './runIndex.ts';
import { bucketSteps, type SeriesOptions } from './series.ts';
import type { StepTable } from './stepTable.ts';

/** The log of a run that nobody writes is forgotten when nobody has asked for it for so long. */
const heldMilliseconds = 10 * 60_000;

export class RunFeed {
  readonly key: string;
  readonly path: string;
  readonly #log: EventLog;
  readonly #index: RunIndex;
  /** While nobody writes it and its files are as they were, they add up to this. */
  #resting: IndexedRun | undefined;
  #asked = Number.NEGATIVE_INFINITY;
  #summary: { version: number; run: ListedRun } | undefined;
  #news: { after: number; version: number; news: RunNews } | undefined;
  #owner: RunOwner | undefined;
  #said: RunDigest['said'] = { alerts: [], note: null, tags: [] };
  #error: UserError | undefined;
  #recipe: RecipeNames | undefined;
  #queued: QueuePlace | undefined;
  #refused: RefusedRun | undefined;
  #version = 0;
  #requested: ListedRun['requested'] = null;
  #reading: Promise<void> | undefined;

  constructor(key: string, path: string, kept: KeptHistories, index: RunIndex) {
    this.key = key;
    this.path = path;
    this.#log = new EventLog(path, kept);
    this.#index = index;
    this.#resting = index.get(path);
    if (!this.#resting) return;
    this.#said = this.#resting.digest.said;
    this.#recipe = this.#resting.digest.recipe;
  }

  get seq(): number {
    return this.#digest.status.seq;
  }

  /** It was launched once: what its steps depend on stays as it is. */
  get hasBegun(): boolean {
    return this.#digest.status.state !== 'created';
  }

  /** Some process writes it. */
  get isLive(): boolean {
    return this.#owner !== undefined;
  }

  /** The process of this machine that writes it. */
  get pidHere(): number | undefined {
    return this.#owner?.host === hostname() ? this.#owner.pid : undefined;
  }

  /** As its recipe names it. */
  get device(): string | null {
    return this.#recipeNames().device;
  }

  /** Of the GPU that it has begun to train on, while it is live. */
  get busId(): string | null {
    return this.isLive ? this.#history.kept.busId : null;
  }

  /** What the queue has of it. */
  setQueued(queued: QueuePlace | undefined, refused: RefusedRun | undefined): void {
    if (JSON.stringify([queued, refused]) === JSON.stringify([this.#queued, this.#refused])) return;
    this.#queued = queued;
    this.#refused = refused;
    this.#version++;
  }

  /** Is told to everybody until the run has done it or is gone. */
  request(what: 'stop' | 'save'): void {
    // A save that is asked for while the run stops is part of that.
    if (this.#requested !== 'stop') this.#requested = what;
    this.#version++;
  }

  /** Higher after every change of the summary. */
  get version(): number {
    return this.#version;
  }

  /** Reads what is new. Everything can be asked then. */
  async refresh(): Promise<void> {
    this.#asked = performance.now();
    await this.#read();
    this.#asked = performance.now();
  }

  /** As `refresh`, for the summary alone: the log of a run that rests is not opened. */
  async glance(): Promise<void> {
    if (this.#resting === undefined || this.#resting.stamp !== stampOf(this.path)) await this.#read();
    if (this.#resting && performance.now() - this.#asked > heldMilliseconds) this.#forget();
  }

  #read(): Promise<void> {
    this.#reading ??= this.#look().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** All but what it adds up to. */
  #forget(): void {
    if (!this.#log.isOpened || this.#reading) return;
    this.#log.forget();
    this.#news = undefined;
  }

  /** The run in one line; the same object until something has changed. */
  get summary(): ListedRun {
    if (this.#summary?.version !== this.#version) this.#summary = { version: this.#version, run: this.#summarize() };
    return this.#summary.run;
  }

  /** What happened beside the steps, oldest first, the newest thousand; `seq` is the last event looked at. */
  get happenings(): RunHappenings {
    return { seq: this.seq, events: this.#history.kept.happenings };
  }

  series(options: SeriesOptions): RunSeries {
    return { seq: this.seq, ...bucketSteps(this.#history.steps, options), ...this.#history.marks };
  }

  get marks(): RunHistory['marks'] {
    return this.#history.marks;
  }

  /** Why it cannot be read. */
  get error(): UserError | undefined {
    return this.#error;
  }

  /** Every step there is. */
  get steps(): StepTable {
    return this.#history.steps;
  }

  /** What a client is told that has the events up to number `seq`: the same object to all who ask for it together. */
  newsAfter(seq: number): RunNews {
    const told = this.#news;
    if (told?.after === seq && told.version === this.#version) return told.news;
    const news = { events: this.#log.after(seq, this.seq), summary: this.summary };
    this.#news = { after: seq, version: this.#version, news };
    return news;
  }

  async #look(): Promise<void> {
    const before = { seq: this.seq, live: this.isLive, error: this.#error?.message, requested: this.#requested };
    const stamp = stampOf(this.path);
    try {
      assertIsRun(this.path);
      // Before the events: an owner that ends in between has then written its last one.
      this.#owner = runOwner(this.path);
      await this.#log.readOn((event) => this.#onEvent(event));
      this.#lookAtRemarks();
      this.#error = undefined;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      this.#error = error;
    }
    if (!this.isLive) this.#requested = null;
    const same =
      before.seq === this.seq &&
      before.live === this.isLive &&
      before.error === this.#error?.message &&
      before.requested === this.#requested;
    if (!same) this.#version++;
    this.#rest(stamp);
  }

  /** @param stamp from before its files were read */
  #rest(stamp: string | undefined): void {
    const canRest = stamp !== undefined && !this.isLive && !this.#error;
    if (this.#resting && canRest && this.#resting.stamp === stamp) return;
    this.#resting = canRest ? { stamp, digest: this.#digest } : undefined;
    if (this.#resting) this.#index.keep(this.path, this.#resting);
  }

  /** Alerts come and go without an event, and people write beside the log. */
  #lookAtRemarks(): void {
    const { alerts: watch, status } = this.#history;
    const remarks = readRemarks(this.path);
    const { path } = this;
    const alerts = alertsOf({ path, owner: this.#owner, watch, checkpoint: status.checkpoint, remarks });
    const said = { alerts, note: remarks.note, tags: remarks.tags };
    if (JSON.stringify(said) === JSON.stringify(this.#said)) return;
    this.#said = said;
    this.#version++;
  }

  #onEvent(event: RunEvent): void {
    if (isTerminal(event) || (event.type === 'checkpoint' && this.#requested === 'save')) this.#requested = null;
    if (event.type === 'started') this.#recipe = undefined;
    if (event.type === 'recipe_changed') this.#recipe = { ...this.#recipeNames(), ...deviceIn(event.changes) };
  }

  get #history(): RunHistory {
    return this.#log.history;
  }

  get #digest(): RunDigest {
    if (this.#resting && !this.#log.isOpened) return this.#resting.digest;
    const { status, outline, lowestEvaluationLoss } = this.#history;
    return { status, outline, lowestEvaluationLoss, said: this.#said, recipe: this.#recipeNames() };
  }

  #summarize(): ListedRun {
    const { status, outline, lowestEvaluationLoss, said, recipe } = this.#digest;
    const { totalSteps } = status;
    const isRunning = status.state === 'running' && this.isLive;
    const { steps, kept } = this.#history;
    return {
      ...status,
      key: this.key,
      state: this.#state(),
      error: this.#error ? this.#error.toJSON() : status.error,
      ...recipe,
      queued: this.#queued ?? null,
      refusal: this.#refused?.afterSeq === this.seq ? this.#refused.error : null,
      requested: this.#requested,
      ...said,
      lowestEvaluationLoss,
      remaining: isRunning && totalSteps !== null ? remainingSeconds(steps, totalSteps, kept.launchStart) : null,
      outline,
    };
  }

  #state(): ShownState {
    if (this.#error) return 'damaged';
    const { state } = this.#digest.status;
    // A launch looks at everything before its first event.
    if (this.isLive && (state === 'created' || this.#queued)) return 'preparing';
    if (this.#queued) return 'queued';
    return (state === 'preparing' || state === 'running') && !this.isLive ? 'interrupted' : state;
  }

  #recipeNames(): RecipeNames {
    this.#recipe ??= namesIn(join(this.path, 'recipe.resolved.yaml'));
    return this.#recipe;
  }
}
