/** The feeds of every run in the workspace, and who is told of changes. Files are looked at only while somebody listens. */
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import type { Queue } from '@anneal/core/protocol/queue';
import { placeOf } from '../../service/queue/order.ts';
import type { RunQueue } from '../../service/queue/runQueue.ts';
import type { FoundRun, Workspace } from '../workspace.ts';
import { RunFeed } from './feed.ts';
import type { KeptHistories } from './keptHistories.ts';
import type { RunIndex } from './runIndex.ts';

const listEveryMilliseconds = 1000;
/** What looking at all runs takes of a processor while somebody looks at the list, at most; but a look comes every ten seconds. */
const listShare = 0.1;
const mostListMilliseconds = 10_000;
/** How long many runs are looked at before others have their turn. */
const sliceMilliseconds = 20;
const runEveryMilliseconds = 50;

export class RunFeeds {
  readonly #workspace: Workspace;
  readonly #queue: RunQueue;
  readonly #kept: KeptHistories;
  readonly #index: RunIndex;
  readonly #feeds = new Map<string, RunFeed>();
  /** Those that were found last, oldest first. */
  #found: readonly RunFeed[] = [];
  #surveying: Promise<number> | undefined;
  #nextSurvey: Promise<number> | undefined;
  readonly #list = new Poll(
    (took) => Math.min(mostListMilliseconds, Math.max(listEveryMilliseconds, took / listShare)),
    () => this.#survey(),
  );
  /** Higher when a run is there or gone, and after every change of the queue. */
  #membership = 0;
  #queueSeen: Queue | undefined;
  #isSurveyed = false;
  readonly #runs = new Map<string, Poll>();

  constructor(workspace: Workspace, queue: RunQueue, kept: KeptHistories, index: RunIndex) {
    this.#workspace = workspace;
    this.#queue = queue;
    this.#kept = kept;
    this.#index = index;
  }

  /** Also of a run that is gone. */
  pathOf(key: string): string {
    return join(this.#workspace.root, key);
  }

  /** Every run, oldest first, as its summary is now. What more is asked of one is asked of `get`. */
  async all(): Promise<readonly RunFeed[]> {
    await this.#survey();
    return this.#found;
  }

  /** @throws UserError `run_not_found` */
  async get(key: string): Promise<RunFeed> {
    const found = this.#feeds.has(key) ? undefined : (await this.#workspace.runs()).find((run) => run.key === key);
    const feed = found ? this.#feedOf(found) : this.#feeds.get(key);
    if (feed) {
      await this.#refresh(feed);
      return feed;
    }
    throw new UserError({
      what: 'there is no such run',
      where: key,
      next: 'it may have been removed or renamed: look at the list of runs',
      code: 'run_not_found',
    });
  }

  /** Calls `listener` after changes of the list, of any run in it. Returns how to end that. */
  onListChange(listener: () => void): () => void {
    return this.#list.listen(listener);
  }

  /** Tells those who listen to the list now, who would be told within a second. */
  tellList(): void {
    this.#list.hurry();
  }

  /** Calls `listener` after changes of one run. */
  onRunChange(feed: RunFeed, listener: () => void): () => void {
    const poll =
      this.#runs.get(feed.key) ??
      new Poll(
        () => runEveryMilliseconds,
        async () => {
          await this.#refresh(feed);
          return feed.version;
        },
      );
    this.#runs.set(feed.key, poll);
    const end = poll.listen(listener);
    return () => {
      end();
      if (poll.isIdle) this.#runs.delete(feed.key);
    };
  }

  close(): void {
    this.#list.close();
    for (const poll of this.#runs.values()) poll.close();
  }

  async #refresh(feed: RunFeed): Promise<void> {
    tellPlace(feed, this.#queue.read());
    await feed.refresh();
  }

  #feedOf({ key, path }: FoundRun): RunFeed {
    const known = this.#feeds.get(key);
    if (known) return known;
    const feed = new RunFeed(key, path, this.#kept, this.#index);
    this.#feeds.set(key, feed);
    this.#membership++;
    return feed;
  }

  /** Looks at every run, for all who ask meanwhile, and returns a number that is another one after any change. */
  #survey(): Promise<number> {
    // One that is under way may have seen a run as it was before.
    this.#nextSurvey ??= (this.#surveying ?? Promise.resolve())
      .catch(() => undefined) // told to those who asked then
      .then(() => {
        this.#nextSurvey = undefined;
        this.#surveying = this.#lookAtAll();
        return this.#surveying;
      });
    return this.#nextSurvey;
  }

  async #lookAtAll(): Promise<number> {
    const found = await this.#workspace.runs();
    const keys = new Set(found.map(({ key }) => key));
    const gone = [...this.#feeds.keys()].filter((key) => !keys.has(key));
    for (const key of gone) this.#feeds.delete(key);
    this.#membership += gone.length;
    if (gone.length > 0 || !this.#isSurveyed) {
      const paths = found.map(({ path }) => path);
      this.#kept.retain(paths);
      this.#index.retain(new Set(paths));
    }
    this.#isSurveyed = true;
    const queue = this.#queue.read();
    if (this.#queueSeen !== queue) this.#membership++;
    this.#queueSeen = queue;
    const feeds = found.map((run) => this.#feedOf(run));
    let versions = 0;
    let sliceEnd = performance.now() + sliceMilliseconds;
    for (const feed of feeds) {
      tellPlace(feed, queue);
      await feed.glance();
      versions += feed.version;
      if (performance.now() < sliceEnd) continue;
      await nextTurn();
      sliceEnd = performance.now() + sliceMilliseconds;
    }
    this.#found = feeds;
    return this.#membership + versions;
  }
}

function tellPlace(feed: RunFeed, { waiting, refused }: Queue): void {
  feed.setQueued(
    placeOf(waiting, feed.key),
    refused.findLast(({ run }) => run === feed.key),
  );
}

/** Looks again and again for as long as somebody listens, and tells them when the version it sees is another one. */
class Poll {
  readonly #pause: (took: number) => number;
  readonly #look: () => Promise<number>;
  readonly #listeners = new Set<() => void>();
  #seen: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  /** Asked for while it was looking. */
  #isHurried = false;

  /** @param pause milliseconds after a look that took so many */
  constructor(pause: (took: number) => number, look: () => Promise<number>) {
    this.#pause = pause;
    this.#look = look;
  }

  get isIdle(): boolean {
    return this.#listeners.size === 0;
  }

  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#schedule();
    return () => {
      this.#listeners.delete(listener);
      if (this.isIdle) this.close();
    };
  }

  /** Looks now instead of when its time has come. */
  hurry(): void {
    this.#isHurried = this.#isLooking;
    if (this.#timer === undefined || this.#isLooking) return;
    this.close();
    this.#schedule(0);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #schedule(milliseconds = this.#pause(0)): void {
    this.#timer ??= setTimeout(async () => {
      this.#isLooking = true;
      const began = performance.now();
      try {
        const version = await this.#look();
        // The first look of a poll is told as well: something may have changed before somebody listened.
        if (version !== this.#seen) for (const listener of this.#listeners) listener();
        this.#seen = version;
      } catch (error) {
        // What cannot be read now may be there again: those who ask get the error, those who listen go on.
        if (!(error instanceof UserError)) throw error;
      }
      const again = this.#isHurried ? 0 : this.#pause(performance.now() - began);
      this.#isLooking = false;
      this.#isHurried = false;
      this.#timer = undefined;
      if (!this.isIdle) this.#schedule(again);
    }, milliseconds);
  }
}
