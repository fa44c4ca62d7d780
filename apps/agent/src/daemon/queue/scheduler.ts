/**
 * Starts what waits, in its order, as soon as its device has room. Whether a run has begun is read from its events, never
 * remembered: an agent that was killed at any moment goes on, and a launch that two agents order happens once.
 */
import { isDeepStrictEqual } from 'node:util';
import { UserError } from '@anneal/core/errors';
import type { Priority } from '@anneal/core/protocol/priorities';
import type { Queue, QueuedRun, RefusedRun } from '@anneal/core/protocol/queue';
import { deviceOfRun, hostDevices } from '../../service/host/devices.ts';
import { assertNotLive, onDevice } from '../../service/queue/queuedRun.ts';
import { notWaiting, type RunQueue } from '../../service/queue/runQueue.ts';
import { changedRecipeOf } from '../../service/runs/changed.ts';
import type { RunFeed } from '../runs/feed.ts';
import type { RunFeeds } from '../runs/feeds.ts';
import { occupiedBy } from './queueState.ts';

/** Runs that the command line started end without telling us. */
const lookEveryMilliseconds = 1000;

export interface LaunchOrder {
  changes: readonly string[];
  afterSeq: number;
}

export interface QueueOrder {
  priority: Priority;
  /** Who wants it. */
  by: string | null;
  /** `key=value` of the recipe that this launch changes. */
  changes?: readonly string[];
}

export interface SchedulerOptions {
  queue: RunQueue;
  feeds: RunFeeds;
  /** Starts the process of a run, and resolves when it begins, or has ended. Rejects with why the run was left as it was. */
  launch(path: string, order: LaunchOrder): Promise<unknown>;
  log(text: string): void;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  /** The launches of this agent that have no event yet, by `launchOf`, each on the device it was ordered for; done: begun, or ended. */
  readonly #launched = new Map<string, { device: string; isDone: boolean }>();
  /** Of runs that could not begin, until the queue's file has them. */
  #refused: RefusedRun[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> | undefined;
  #closed = false;
  /** What was logged last, to say it once. */
  #trouble: string | undefined;

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Queues a run behind those of its priority; it may begin at once. */
  async add(run: string, { priority, by, changes = [] }: QueueOrder): Promise<void> {
    const feed = await this.#options.feeds.get(run);
    const wanted = changes.length > 0 ? changedRecipeOf(feed.path, changes).resolved.device : feed.device;
    const device = deviceOfRun(wanted ?? 'auto');
    const since = new Date().toISOString();
    await this.#options.queue.add({ run, device, priority, changes, afterSeq: feed.seq, since, by });
    await this.look();
  }

  /** Takes a run out that waits. @throws UserError `run_not_queued` */
  async remove(run: string): Promise<void> {
    const { queue, feeds } = this.#options;
    const path = feeds.pathOf(run);
    await queue.remove(run, (entry) => this.#assertWaits(entry, path));
    await this.look();
  }

  /** Lets a run wait for another device, where it may begin at once. @throws UserError `run_not_queued`, and as `onDevice` */
  async assign(run: string, device: string): Promise<void> {
    const { queue, feeds } = this.#options;
    const { path } = await feeds.get(run);
    await queue.assign(run, (entry) => {
      this.#assertWaits(entry, path);
      return onDevice(entry, path, device);
    });
    await this.look();
  }

  /** No launch was ordered, here or elsewhere. @throws UserError `run_not_queued` */
  #assertWaits(entry: QueuedRun, path: string): void {
    if (this.#launched.has(launchOf(entry))) throw notWaiting(entry.run);
    assertNotLive(entry, path);
  }

  /** Starts what can begin now; then again and again until `close`. */
  async look(): Promise<void> {
    // One that is under way may have seen the queue as it was before.
    await this.#looking;
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
      clearTimeout(this.#timer);
      if (!this.#closed) this.#timer = setTimeout(() => void this.look(), lookEveryMilliseconds);
    });
    await this.#looking;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  async #look(): Promise<void> {
    const { queue, feeds, log } = this.#options;
    try {
      // Before the runs: one that is created and queued in between is not taken for one that is gone.
      const now = queue.read();
      const waiting = new Set(now.waiting.map(launchOf));
      for (const launch of this.#launched.keys()) if (!waiting.has(launch)) this.#launched.delete(launch);
      if (waiting.size > 0) await this.#startWaiting(now, await feeds.all());
      this.#trouble = undefined;
    } catch (error) {
      // What cannot be read now may be there again.
      if (!(error instanceof UserError)) throw error;
      if (this.#trouble !== error.message) log(`the queue waits: ${error.message}`);
      this.#trouble = error.message;
    }
  }

  async #startWaiting({ waiting, concurrency }: Queue, all: readonly RunFeed[]): Promise<void> {
    const { queue, log } = this.#options;
    const feeds = new Map(all.map((feed) => [feed.key, feed]));
    const busy = new Map<string, number>();
    const occupy = (device: string) => busy.set(device, (busy.get(device) ?? 0) + 1);
    // The runs were read after the queue: what was taken out or assigned meanwhile is not begun as it was.
    const current = queue.read().waiting;
    const begun: QueuedRun[] = [];
    const refused = [...this.#refused];
    const refusals = new Set(refused.map(launchOf));
    for (const launch of refusals) this.#launched.delete(launch);
    // Before anything begins: one that was assigned since stands behind others in the queue.
    for (const feed of all) {
      const launched = this.#launched.get(launchOf({ run: feed.key, afterSeq: feed.seq }));
      const isOrdered = launched !== undefined && !launched.isDone;
      if (isOrdered || feed.pidHere !== undefined) occupy(launched?.device ?? occupiedBy(feed, waiting));
    }
    for (const entry of waiting) {
      const { run, device, afterSeq } = entry;
      const feed = feeds.get(run);
      const launched = this.#launched.get(launchOf(entry));
      if (!feed || feed.seq > afterSeq) {
        if (!feed) log(`${run} is gone, and out of the queue`);
        begun.push(entry);
      } else if (feed.isLive || refusals.has(launchOf(entry))) {
        // One that is live begins, or its last launch still ends; it was counted above.
      } else if (launched?.isDone) {
        refused.push({ run, afterSeq, error: diedSilently(feed.path) });
      } else if (launched) {
        // It was counted above.
      } else if (!current.some((other) => isDeepStrictEqual(other, entry))) {
        // The next look sees it.
      } else if (isThere(device) && (busy.get(device) ?? 0) < (concurrency[device] ?? 1)) {
        occupy(device);
        this.#launched.set(launchOf(entry), { device, isDone: false });
        void this.#launch(entry, feed);
      }
    }
    if (begun.length === 0 && refused.length === 0) return;
    await queue.settle(begun, refused);
    this.#refused = this.#refused.filter((refusal) => !refused.includes(refusal));
  }

  async #launch(entry: QueuedRun, feed: RunFeed): Promise<void> {
    const { run, device, changes, afterSeq } = entry;
    try {
      await this.#options.launch(feed.path, { changes, afterSeq });
      await feed.refresh();
      this.#launched.set(launchOf(entry), { device, isDone: true });
    } catch (error) {
      const refusal = error instanceof UserError ? error : notStarted(feed.path, error);
      // Somebody else has started it: its events tell.
      if (refusal.code === 'run_in_use' || refusal.code === 'run_begun_already') this.#launched.delete(launchOf(entry));
      else this.#refused.push({ run, afterSeq, error: refusal.toJSON() });
    }
    if (!this.#closed) await this.look();
  }
}

/** What waits for a device that is gone would only fail, one run after the other; it can be assigned to another one. */
function isThere(device: string): boolean {
  return hostDevices().some(({ name }) => name === device);
}

/** A run is launched once after each of its events. */
function launchOf({ run, afterSeq }: Pick<QueuedRun, 'run' | 'afterSeq'>): string {
  return `${afterSeq} ${run}`;
}

function notStarted(path: string, cause: unknown): UserError {
  return new UserError({
    what: `the training process could not be started: ${cause instanceof Error ? cause.message : String(cause)}`,
    where: path,
    next: 'see what this machine runs; when it has room again, start the run again',
    code: 'worker_not_started',
    cause,
  });
}

function diedSilently(path: string): RefusedRun['error'] {
  return new UserError({
    what: 'the training process ended before it began, and did not say why',
    where: `${path}/run.log`,
    next: 'look there, then start it again',
    code: 'worker_crashed',
  }).toJSON();
}
