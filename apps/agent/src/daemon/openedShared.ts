/** What is open, each in a process of its own, shared by all who look at the same and ended when nobody has for a while. */
import { UserError } from '@anneal/core/errors';
import { type Apart, openApart } from '../runner/openApart.ts';
import { finish } from '../service/finish.ts';
import type { OpenableName, OpenedOf, OpenRequestOf } from '../service/openables.ts';

interface Entry<Opened> {
  opening: Promise<Apart<Opened>>;
  users: number;
  idle: NodeJS.Timeout | undefined;
}

/** It stays open until this is disposed of, and for a while after. */
export interface Lease<Opened> extends Disposable {
  readonly opened: Apart<Opened>;
}

interface Options {
  /** Most that are open at a time. The one that was used longest ago, and is not in use, makes room. */
  most?: number;
  idleMilliseconds?: number;
}

export class OpenedShared<Name extends OpenableName> {
  readonly #name: Name;
  readonly #most: number;
  readonly #idleMilliseconds: number;
  /** In the order in which they were last taken. */
  readonly #entries = new Map<string, Entry<OpenedOf<Name>>>();

  constructor(name: Name, { most = 4, idleMilliseconds = 5 * 60_000 }: Options = {}) {
    this.#name = name;
    this.#most = most;
    this.#idleMilliseconds = idleMilliseconds;
  }

  /**
   * What is open under the key, opened where it is not.
   * @throws what opening throws; UserError `too_many_open`
   */
  async take(key: string, request: OpenRequestOf<Name>): Promise<Lease<OpenedOf<Name>>> {
    const entry = this.#entries.get(key) ?? this.#open(key, request);
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    clearTimeout(entry.idle);
    entry.users++;
    try {
      return { opened: await entry.opening, [Symbol.dispose]: () => this.#release(key, entry) };
    } catch (error) {
      this.#forget(key, entry);
      throw error;
    }
  }

  /** Ends what is open under the key, also for those who use it: it is not what it was. */
  async drop(key: string): Promise<void> {
    const entry = this.#entries.get(key);
    if (entry) await this.#end(key, entry);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries].map(([key, entry]) => this.#end(key, entry)));
  }

  #open(key: string, request: OpenRequestOf<Name>): Entry<OpenedOf<Name>> {
    this.#makeRoom();
    const opening = finish(openApart(this.#name, {}, request));
    const entry: Entry<OpenedOf<Name>> = { opening, users: 0, idle: undefined };
    opening
      .then(({ ended }) => ended)
      .then(
        () => this.#forget(key, entry),
        () => undefined, // told to who takes it
      );
    return entry;
  }

  #makeRoom(): void {
    if (this.#entries.size < this.#most) return;
    const [unused] = [...this.#entries].filter(([, { users }]) => users === 0);
    if (unused) return void this.#end(...unused);
    throw new UserError({
      what: `${this.#entries.size} of them (${this.#name}) are open and looked at, which is the most that may be`,
      where: 'this agent',
      next: 'close a page that shows another one, then try again',
      code: 'too_many_open',
    });
  }

  #release(key: string, entry: Entry<OpenedOf<Name>>): void {
    entry.users--;
    if (entry.users > 0 || this.#entries.get(key) !== entry) return;
    entry.idle = setTimeout(() => void this.#end(key, entry), this.#idleMilliseconds);
    entry.idle.unref();
  }

  #forget(key: string, entry: Entry<OpenedOf<Name>>): void {
    clearTimeout(entry.idle);
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
  }

  async #end(key: string, entry: Entry<OpenedOf<Name>>): Promise<void> {
    this.#forget(key, entry);
    const opened = await entry.opening.catch(() => undefined); // told to who takes it
    await opened?.close();
  }
}
