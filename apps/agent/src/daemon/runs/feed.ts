/** One run as the daemon sees it: its events are read once, as they are written, for however many clients watch. */
import { closeSync, fstatSync } from 'node:fs';
import { hostname } from 'node:os';
import { basename, join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import { isTerminal, type RunEvent } from '@anneal/core/protocol/events';
import type { QueuePlace, RefusedRun } from '@anneal/core/protocol/queue';
import { initialStatus, type Status, statusAfter } from '@anneal/core/protocol/status';
import type { ListedRun, RunHappenings, RunSeries, ShownState } from '@anneal/core/protocol/studio';
import { linesOfFile, parseLine, readEvents } from '@anneal/core/trainer/eventReader';
import { assertIsRun, openRunFile, readRunFile } from '@anneal/core/trainer/runFiles';
import { type RunOwner, runOwner } from '@anneal/core/trainer/runLock';
import { parse } from 'yaml';
import { StepColumns } from './columns.ts';
import { remainingSeconds } from './remaining.ts';
import { bucketSteps, outlineOf, type SeriesOptions } from './series.ts';

/** How long a long log is read before others have their turn. */
const sliceMilliseconds = 20;
const outlinePoints = 32;
/** Of an event that holds no text of a model. */
const usualCharacters = 200;
/** Of the events that are no step. Samples are a few KiB each at most. */
const mostHappenings = 1000;

export class RunFeed {
  readonly key: string;
  readonly path: string;
  #status: Status;
  #columns = new StepColumns();
  #evaluations: RunSeries['evaluations'] = [];
  #checkpoints: number[] = [];
  #resumes: number[] = [];
  /** The newest events that are no step. */
  #happenings: RunEvent[] = [];
  #launchStart = 0;
  #offset = 0;
  #owner: RunOwner | undefined;
  #error: UserError | undefined;
  #recipe: RecipeNames | undefined;
  #queued: QueuePlace | undefined;
  #refused: RefusedRun | undefined;
  #version = 0;
  #requested: ListedRun['requested'] = null;
  #reading: Promise<void> | undefined;

  constructor(key: string, path: string) {
    this.key = key;
    this.path = path;
    this.#status = initialStatus(basename(path), basename(path), '');
  }

  get seq(): number {
    return this.#status.seq;
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

  /** Reads what is new. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  get summary(): ListedRun {
    const losses = this.#columns.column('loss');
    const lowest = this.#evaluations.reduce((low, { loss }) => Math.min(low, loss ?? low), Number.POSITIVE_INFINITY);
    const { totalSteps } = this.#status;
    const isRunning = this.#status.state === 'running' && this.isLive;
    return {
      ...this.#status,
      key: this.key,
      state: this.#state(),
      error: this.#error ? this.#error.toJSON() : this.#status.error,
      ...this.#recipeNames(),
      queued: this.#queued ?? null,
      refusal: this.#refused?.afterSeq === this.seq ? this.#refused.error : null,
      requested: this.#requested,
      lowestEvaluationLoss: Number.isFinite(lowest) ? lowest : null,
      remaining:
        isRunning && totalSteps !== null ? remainingSeconds(this.#columns, totalSteps, this.#launchStart) : null,
      outline: outlineOf(losses, outlinePoints),
    };
  }

  /** What happened beside the steps, oldest first, the newest thousand; `seq` is the last event looked at. */
  get happenings(): RunHappenings {
    return { seq: this.seq, events: this.#happenings };
  }

  series(options: SeriesOptions): RunSeries {
    return {
      seq: this.seq,
      ...bucketSteps(this.#columns, options),
      evaluations: this.#evaluations,
      checkpoints: this.#checkpoints,
      resumes: this.#resumes,
    };
  }

  /** The events after number `seq`, at most so many of them and about so many characters. */
  eventsAfter(seq: number, most: { events: number; characters: number }): RunEvent[] {
    const events: RunEvent[] = [];
    if (seq >= this.seq) return events;
    let characters = 0;
    for (const event of readEvents(join(this.path, 'events.jsonl'), { afterSeq: seq })) {
      if (event.seq > this.seq) break;
      events.push(event);
      characters += event.type === 'sample' ? event.prompt.length + event.text.length : usualCharacters;
      if (events.length >= most.events || characters >= most.characters) break;
    }
    return events;
  }

  async #read(): Promise<void> {
    const before = { seq: this.seq, live: this.isLive, error: this.#error?.message, requested: this.#requested };
    try {
      assertIsRun(this.path);
      // Before the events: an owner that ends in between has then written its last one.
      this.#owner = runOwner(this.path);
      await this.#readEvents();
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
  }

  async #readEvents(): Promise<void> {
    const path = join(this.path, 'events.jsonl');
    const file = openRunFile(path);
    try {
      // A launch cuts off a line that a crash left unfinished, which is never counted in here. Less than that is another file.
      if (fstatSync(file).size < this.#offset) this.#forget();
      let sliceEnd = performance.now() + sliceMilliseconds;
      for (const { text, end } of linesOfFile(file, { from: this.#offset })) {
        const event = text === undefined ? undefined : parseLine(text);
        if (event?.seq !== this.seq + 1) {
          if (end === fstatSync(file).size) return; // the next launch cuts it off
          throw new UserError({
            what: `the event log is damaged: line ${this.seq + 1} is not event number ${this.seq + 1}`,
            where: `${path}:${this.seq + 1}`,
            next: 'restore the file from a copy, or start a new run from the last checkpoint with lora_model_dir',
            code: 'event_log_damaged',
          });
        }
        this.#add(event);
        this.#offset = end;
        if (performance.now() < sliceEnd) continue;
        await nextTurn();
        sliceEnd = performance.now() + sliceMilliseconds;
      }
    } finally {
      closeSync(file);
    }
  }

  #add(event: RunEvent): void {
    this.#status = statusAfter(this.#status, event);
    if (event.type !== 'step') this.#happenings.push(event);
    if (this.#happenings.length > mostHappenings) this.#happenings.shift();
    if (isTerminal(event) || (event.type === 'checkpoint' && this.#requested === 'save')) this.#requested = null;
    switch (event.type) {
      case 'step':
        this.#columns.add(event, (Date.parse(event.time) - Date.parse(this.#status.created)) / 1000);
        break;
      case 'evaluated':
        this.#evaluations.push({ step: event.step, loss: event.loss });
        break;
      case 'checkpoint':
        this.#checkpoints.push(event.step);
        break;
      case 'resumed':
        this.#columns.dropAfter(event.fromStep);
        this.#evaluations = this.#evaluations.filter(({ step }) => step <= event.fromStep);
        this.#checkpoints = this.#checkpoints.filter((step) => step <= event.fromStep);
        this.#resumes.push(event.fromStep);
        this.#recipe = undefined;
        break;
      case 'started':
        this.#launchStart = this.#columns.length;
        break;
    }
  }

  #forget(): void {
    this.#status = initialStatus(basename(this.path), basename(this.path), '');
    this.#columns = new StepColumns();
    this.#evaluations = [];
    this.#checkpoints = [];
    this.#resumes = [];
    this.#happenings = [];
    this.#launchStart = 0;
    this.#offset = 0;
  }

  #state(): ShownState {
    if (this.#error) return 'damaged';
    const { state } = this.#status;
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

interface RecipeNames {
  baseModel: string | null;
  adapter: string | null;
  device: string | null;
}

/** Of a recipe that cannot be read the run is shown all the same. */
function namesIn(path: string): RecipeNames {
  try {
    const recipe = parse(readRunFile(path)) as Record<string, unknown> | null;
    const text = (key: string) => (typeof recipe?.[key] === 'string' ? (recipe[key] as string) : null);
    return { baseModel: text('base_model'), adapter: text('adapter'), device: text('device') };
  } catch {
    return { baseModel: null, adapter: null, device: null };
  }
}
