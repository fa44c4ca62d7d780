/** The feeds of every run in the workspace, and who is told of changes. Files are looked at only while somebody listens. */
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { Queue } from '@anneal/core/protocol/queue';
import { placeOf } from '../../service/queue/order.ts';
import type { RunQueue } from '../../service/queue/runQueue.ts';
import type { Workspace } from '../workspace.ts';
import { RunFeed } from './feed.ts';
import type { KeptHistories } from './keptHistories.ts';

const listEveryMilliseconds = 1000;
const runEveryMilliseconds = 50;

export class RunFeeds {
  readonly #workspace: Workspace;
  readonly #queue: RunQueue;
  readonly #kept: KeptHistories;
  readonly #feeds = new Map<string, RunFeed>();
  readonly #list = new Poll(listEveryMilliseconds, () => this.#survey());
  /** Higher when a run is there or gone, and after every change of the queue. */
  #membership = 0;
  #queueSeen: Queue | undefined;
  #isSurveyed = false;
  readonly #runs = new Map<string, Poll>();

  constructor(workspace: Workspace, queue: RunQueue, kept: KeptHistories) {
    this.#workspace = workspace;
    this.#queue = queue;
    this.#kept = kept;
  }

  /** Also of a run that is gone. */
  pathOf(key: string): string {
    return join(this.#workspace.root, key);
  }

  /** Every run, oldest first, as it is now. */
  async all(): Promise<RunFeed[]> {
    await this.#survey();
    return [...this.#feeds.values()];
  }

  /** @throws UserError `run_not_found` */
  async get(key: string): Promise<RunFeed> {
    if (!this.#feeds.has(key)) await this.#survey();
    const feed = this.#feeds.get(key);
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
      new Poll(runEveryMilliseconds, async () => {
        await this.#refresh(feed);
        return feed.version;
      });
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
    const { waiting, refused } = this.#queue.read();
    feed.setQueued(
      placeOf(waiting, feed.key),
      refused.findLast(({ run }) => run === feed.key),
    );
    await feed.refresh();
  }

  /** Looks at every run, and returns a number that is another one after any change. */
  async #survey(): Promise<number> {
    const found = await this.#workspace.runs();
    const keys = new Set(found.map(({ key }) => key));
    const gone = [...this.#feeds.keys()].filter((key) => !keys.has(key));
    for (const key of gone) this.#feeds.delete(key);
    this.#membership += gone.length;
    if (gone.length > 0 || !this.#isSurveyed) this.#kept.retain(found.map(({ path }) => path));
    this.#isSurveyed = true;
    if (this.#queueSeen !== this.#queue.read()) this.#membership++;
    this.#queueSeen = this.#queue.read();
    let versions = 0;
    for (const { key, path } of found) {
      const feed = this.#feeds.get(key) ?? new RunFeed(key, path, this.#kept);
      if (!this.#feeds.has(key)) this.#membership++;
      this.#feeds.set(key, feed);
      await this.#refresh(feed);
      versions += feed.version;
    }
    return this.#membership + versions;
  }
}

/** Looks again and again for as long as somebody listens, and tells them when the version it sees is another one. */
class Poll {
  readonly #milliseconds: number;
  readonly #look: () => Promise<number>;
  readonly #listeners = new Set<() => void>();
  #seen: number | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  /** Asked for while it was looking. */
  #isHurried = false;

  constructor(milliseconds: number, look: () => Promise<number>) {
    this.#milliseconds = milliseconds;
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

  #schedule(milliseconds = this.#milliseconds): void {
    this.#timer ??= setTimeout(async () => {
      this.#isLooking = true;
      try {
        const version = await this.#look();
        // The first look of a poll is told as well: something may have changed before somebody listened.
        if (version !== this.#seen) for (const listener of this.#listeners) listener();
        this.#seen = version;
      } catch (error) {
        // What cannot be read now may be there again: those who ask get the error, those who listen go on.
        if (!(error instanceof UserError)) throw error;
      }
      const again = this.#isHurried ? 0 : this.#milliseconds;
      this.#isLooking = false;
      this.#isHurried = false;
      this.#timer = undefined;
      if (!this.isIdle) this.#schedule(again);
    }, milliseconds);
  }
}
