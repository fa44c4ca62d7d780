import { type ChildProcess, fork } from 'node:child_process';
import { tokenizerFailed, tokenizerInvalid } from './errors.ts';
import type { LibraryRequest } from './libraryProcess.ts';

/** A foreign expression may take quadratic time. Real tokenizers do a million characters a second. */
const PATIENCE_MILLISECONDS = 60_000;
const PATIENCE_PER_CHARACTER = 0.05;
/** An unused process goes; the next request starts another. */
const IDLE_MILLISECONDS = 30_000;
const STDERR_CHARACTERS = 10_000;
/** Of all tokenizers together; the longest unused goes first. */
const IDLE_PROCESSES = 4;
const idle = new Set<ChildProcess>();

interface Pending {
  resolve(answer: unknown): void;
  reject(error: Error): void;
}

/**
 * The tokenizers library at work for one tokenizer.json, in a process of its own. Requests are answered in order.
 * A panic of the library, or work without end, is a UserError `tokenizer_failed`; a file it refuses is `tokenizer_invalid`.
 */
export class LibraryConnection {
  readonly #tokenizerJson: string;
  readonly #where: string;
  #child: ChildProcess | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #pending: Pending | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(tokenizerJson: string, where: string) {
    this.#tokenizerJson = tokenizerJson;
    this.#where = where;
  }

  /** @param size characters or tokens in the request: how long it may take depends on it */
  ask(request: LibraryRequest, size: number): Promise<unknown> {
    const answer = this.#queue.then(async () => {
      if (!this.#child?.connected || this.#child.killed) await this.#open();
      return await this.#send(request, size);
    });
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  async #open(): Promise<void> {
    this.#start();
    const tokenizerJson = this.#tokenizerJson;
    try {
      await this.#send({ kind: 'open', tokenizerJson }, tokenizerJson.length);
    } catch (error) {
      this.#child?.kill('SIGKILL');
      this.#child = undefined;
      throw error;
    }
  }

  #start(): void {
    const file = import.meta.url.endsWith('.ts') ? './libraryProcess.ts' : './libraryProcess.js';
    const child = fork(new URL(file, import.meta.url), {
      serialization: 'advanced',
      execArgv: [],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child = child;
    let messages = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      messages = (messages + text).slice(0, STDERR_CHARACTERS);
    });
    const ended = (reason: string): void => {
      idle.delete(child);
      if (this.#child !== child) return;
      this.#child = undefined;
      this.#settle()?.reject(tokenizerFailed(reason, this.#where));
    };
    child.on('error', (error) => ended(error.message));
    child.on('close', () => ended(panicIn(messages)));
    child.on('message', ({ answer, refusal }: { answer?: unknown; refusal?: string }) => {
      const pending = this.#settle();
      if (refusal === undefined) pending?.resolve(answer);
      else pending?.reject(tokenizerInvalid(refusal, this.#where));
    });
  }

  async #send(request: LibraryRequest, size: number): Promise<unknown> {
    const child = this.#child;
    if (!child?.connected) throw tokenizerFailed('its process ended', this.#where);
    clearTimeout(this.#idle);
    idle.delete(child);
    hold(child, true);
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    this.#pending = { resolve, reject };
    const milliseconds = PATIENCE_MILLISECONDS + size * PATIENCE_PER_CHARACTER;
    const patience = setTimeout(() => {
      this.#settle()?.reject(tokenizerFailed(`no answer within ${Math.round(milliseconds / 1000)} s`, this.#where));
      this.#child = undefined;
      child.kill('SIGKILL');
    }, milliseconds);
    child.send(request, (error) => {
      // The exit says more than that the channel is closed.
      if (error && child.connected) this.#settle()?.reject(error);
    });
    try {
      return await promise;
    } finally {
      clearTimeout(patience);
      hold(child, false);
      this.#idle = setTimeout(() => child.kill('SIGKILL'), IDLE_MILLISECONDS).unref();
      idle.add(child);
      if (idle.size > IDLE_PROCESSES) idle.values().next().value?.kill('SIGKILL');
    }
  }

  #settle(): Pending | undefined {
    const pending = this.#pending;
    this.#pending = undefined;
    return pending;
  }
}

/** Whether the process keeps ours alive: only while an answer is awaited. */
function hold(child: ChildProcess, held: boolean): void {
  const handles = [child, child.channel, child.stderr] as unknown as ({ ref(): void; unref(): void } | null)[];
  for (const handle of handles) handle?.[held ? 'ref' : 'unref']();
}

/** What Rust prints of a panic: a line with the place in the source, then the message. */
function panicIn(messages: string): string {
  return /panicked at [^\n]*\n([^\n]*)/.exec(messages)?.[1] ?? 'its process ended';
}
