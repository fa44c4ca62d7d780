/** The models that are loaded, each in a process of its own, and who may use them. */
import { UserError } from '@anneal/core/errors';
import type { AnswerEnd, AnswerPiece, AnswerRequest, ChatMemory, LoadProgress } from '@anneal/core/protocol/chat';
import type { LoadedModel } from '@anneal/core/protocol/chattable';
import type { UnreadParameter } from '@anneal/core/protocol/conversations';
import { type Apart, openApart } from '../../runner/openApart.ts';
import type { Chat } from '../../service/chat/open.ts';
import { finish } from '../../service/finish.ts';
import { reporting } from '../../service/reporting.ts';
import { askApart } from '../askApart.ts';
import type { Wanted } from './chattables.ts';
import { Turns } from './turns.ts';

/** A conversation may have so many tokens; with a model that was made for fewer, fewer. */
const manner = { context: 4096, sideBySide: true };
const mostLoaded = 4;
const mostWaiting = 16;
const idleMilliseconds = 10 * 60_000;
const lookEveryMilliseconds = 15_000;

interface Loaded {
  wanted: Wanted;
  opening: Promise<Apart<Chat>>;
  /** Breaks off loading it. */
  abort: AbortController;
  /** Undefined until it is loaded. */
  opened: Apart<Chat> | undefined;
  progress: LoadProgress | undefined;
  /** With the adapter, and without: both can answer at once. */
  turns: { adapted: Turns; base: Turns };
  /** Requests that have begun to use it, those that wait included. */
  users: number;
  usedAt: number;
}

export class LoadedModels {
  readonly #log: (text: string) => void;
  readonly #loaded = new Map<string, Loaded>();
  readonly #listeners = new Set<() => void>();
  readonly #look: NodeJS.Timeout;

  /** @param log is told of processes that die */
  constructor(log: (text: string) => void) {
    this.#log = log;
    this.#look = setInterval(() => this.closeIdle(idleMilliseconds), lookEveryMilliseconds);
    this.#look.unref();
  }

  list(): LoadedModel[] {
    return [...this.#loaded.values()].map(({ wanted, opened, progress, turns }) => ({
      model: wanted.id,
      state: opened ? 'ready' : 'loading',
      loaded: progress?.loaded ?? 0,
      total: progress?.total ?? 0,
      bytes: progress?.bytes ?? null,
      answering: turns.adapted.busy || turns.base.busy,
      waiting: turns.adapted.waiting + turns.base.waiting,
    }));
  }

  /** Of the process; undefined while there is none. */
  pidOf(id: string): number | undefined {
    return [...this.#loaded.values()].find(({ wanted }) => wanted.id === id)?.opened?.pid;
  }

  /** Calls `listener` after changes of the list. Returns how to end that. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** What loading it would take; undefined where it is loaded already. */
  async measure(wanted: Wanted): Promise<ChatMemory | undefined> {
    if (this.#find(wanted)) return undefined;
    const { source, checkpoint } = wanted;
    return finish(askApart('measureChat', {}, { source, checkpoint, ...manner }));
  }

  /**
   * Loads the model where it is not, waits for its turn, and answers. Whoever stops listening ends the answer; with the signal it ends
   * with what there is. The answer does not wait for a listener that is slow.
   * @param client whose turn it is
   * @throws UserError `too_many_models`, `model_busy`, and what opening and answering may throw
   */
  answer(
    wanted: Wanted,
    request: AnswerRequest,
    { client, signal: given }: { client: string; signal?: AbortSignal },
  ): AsyncGenerator<LoadProgress | AnswerPiece, AnswerEnd> {
    return reporting<LoadProgress | AnswerPiece, AnswerEnd>(async (report, left) => {
      const signal = given ? AbortSignal.any([left, given]) : left;
      const model = this.#enter(wanted);
      const end = this.onChange(() => !model.opened && model.progress && report(model.progress));
      let leave: (() => void) | undefined;
      try {
        const opened = await unlessAborted(model.opening, signal);
        end();
        leave = await model.turns[wanted.base ? 'base' : 'adapted'].take(client, signal);
        this.#changed();
        return await finish(opened.call('answer', { ...request, base: wanted.base }, signal), report);
      } finally {
        end();
        leave?.();
        this.#leave(model);
      }
    });
  }

  /** What of the request the model's template would not read, and that therefore would change nothing. */
  async unread(
    wanted: Wanted,
    { tools, thinking, plain, messages }: AnswerRequest,
    { signal }: { signal: AbortSignal },
  ): Promise<{ parameter: UnreadParameter; why: string }[]> {
    const hasSystem = messages.some(({ role }) => role === 'system' || role === 'developer');
    if (!tools && thinking === undefined && !hasSystem) return [];
    const model = this.#enter(wanted);
    try {
      const opened = await unlessAborted(model.opening, signal);
      const warnings = await finish(opened.call('unread', { tools, thinking, plain, messages }, signal));
      return warnings.map(({ options, why }) => ({
        parameter: (['tools', 'messages'] as const).find((name) => options.includes(name)) ?? 'thinking',
        why,
      }));
    } finally {
      this.#leave(model);
    }
  }

  /** Frees the memory of one that nobody uses. @throws UserError `model_in_use` */
  async unload(id: string): Promise<void> {
    const model = [...this.#loaded.values()].find(({ wanted }) => wanted.id === id);
    if (!model) return;
    if (model.users > 0) {
      throw new UserError({
        what: 'this model is answering',
        where: id,
        next: 'stop the answer first',
        code: 'model_in_use',
      });
    }
    await this.#close(model);
  }

  /** Frees the memory of those that nobody has used for so long. */
  async closeIdle(milliseconds = 0): Promise<void> {
    const now = Date.now();
    const idle = [...this.#loaded.values()].filter(({ users, usedAt }) => users === 0 && now - usedAt >= milliseconds);
    await Promise.all(idle.map((model) => this.#close(model)));
  }

  async close(): Promise<void> {
    clearInterval(this.#look);
    await Promise.all([...this.#loaded.values()].map((model) => this.#close(model)));
  }

  #find({ key, base, run }: Wanted): Loaded | undefined {
    const same = this.#loaded.get(key);
    if (same || !base) return same;
    return [...this.#loaded.values()].find(({ wanted }) => wanted.run === run);
  }

  /** The model, loading at least, with one more user. */
  #enter(wanted: Wanted): Loaded {
    const known = this.#find(wanted);
    if (known) {
      known.users++;
      return known;
    }
    const model: Loaded = {
      wanted,
      opening: Promise.resolve().then(() => this.#load(model)),
      abort: new AbortController(),
      progress: undefined,
      opened: undefined,
      turns: { adapted: new Turns(mostWaiting), base: new Turns(mostWaiting) },
      users: 1,
      usedAt: Date.now(),
    };
    model.opening.catch(() => this.#forget(model));
    this.#loaded.set(wanted.key, model);
    this.#changed();
    return model;
  }

  #leave(model: Loaded): void {
    model.users--;
    model.usedAt = Date.now();
    this.#changed();
  }

  async #load(model: Loaded): Promise<Apart<Chat>> {
    while (this.#loaded.size > mostLoaded) {
      const idle = this.#longestIdle();
      if (!idle) throw tooMany();
      await this.#close(idle);
    }
    const opened = await this.#open(model).catch(async (error) => {
      if (!(error instanceof UserError) || error.code !== 'out_of_memory' || !this.#longestIdle()) throw error;
      await this.closeIdle();
      return this.#open(model);
    });
    model.opened = opened;
    this.#changed();
    void opened.ended.then((error) => {
      if (error) this.#log(`${model.wanted.id}: ${error.message}`);
      this.#forget(model);
    });
    return opened;
  }

  #open(model: Loaded): Promise<Apart<Chat>> {
    const { source, checkpoint } = model.wanted;
    const request = { source, checkpoint, ...manner };
    return finish(openApart('chat', {}, request, model.abort.signal), (progress) => {
      model.progress = progress;
      this.#changed();
    });
  }

  #longestIdle(): Loaded | undefined {
    const idle = [...this.#loaded.values()].filter(({ users, opened }) => users === 0 && opened);
    return idle.sort((a, b) => a.usedAt - b.usedAt)[0];
  }

  async #close(model: Loaded): Promise<void> {
    this.#forget(model);
    model.abort.abort();
    const opened = await model.opening.catch(() => undefined);
    await opened?.close();
  }

  #forget(model: Loaded): void {
    if (this.#loaded.get(model.wanted.key) !== model) return;
    this.#loaded.delete(model.wanted.key);
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

function tooMany(): UserError {
  return new UserError({
    what: `${mostLoaded} models are loaded, and all of them are answering`,
    next: 'wait until one is done, or stop an answer',
    code: 'too_many_models',
  });
}

/** Others may wait for the same. */
async function unlessAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return await new Promise<T>((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
