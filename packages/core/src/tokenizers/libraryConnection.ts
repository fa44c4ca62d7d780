import { ForeignProcess, processBeside } from '../foreignProcess.ts';
import { tokenizerFailed, tokenizerInvalid } from './errors.ts';
import type { LibraryRequest } from './libraryProcess.ts';

/** A foreign expression may take quadratic time. Real tokenizers do a million characters a second. */
const PATIENCE_MILLISECONDS = 60_000;
const PATIENCE_PER_CHARACTER = 0.05;
/** An unused process goes; the next request starts another. */
const IDLE_MILLISECONDS = 30_000;
/** Of all tokenizers together; one more tokenizer gets the process that is unused for longest. */
const IDLE_PROCESSES = 4;

/** The library in a process, with one tokenizer open in it. */
class Library {
  /** Whose tokenizer that is: errors name it. */
  holder: LibraryConnection;
  readonly #process: ForeignProcess;
  #idle: NodeJS.Timeout | undefined;

  constructor(holder: LibraryConnection) {
    this.holder = holder;
    this.#process = new ForeignProcess(processBeside(import.meta.url, 'libraryProcess'), {
      refused: (message) => tokenizerInvalid(message, this.holder.where),
      failed: (reason) => tokenizerFailed(reason, this.holder.where),
    });
  }

  get isRunning(): boolean {
    return this.#process.isRunning;
  }

  async ask(request: LibraryRequest, size: number): Promise<unknown> {
    clearTimeout(this.#idle);
    idle.delete(this);
    try {
      return await this.#process.ask(request, PATIENCE_MILLISECONDS + size * PATIENCE_PER_CHARACTER);
    } finally {
      if (this.isRunning) this.#rest();
    }
  }

  #rest(): void {
    idle.add(this);
    this.#idle = setTimeout(() => this.#end(), IDLE_MILLISECONDS).unref();
    for (const unused of idle) if (idle.size > IDLE_PROCESSES) unused.#end();
  }

  #end(): void {
    clearTimeout(this.#idle);
    idle.delete(this);
    this.#process.end();
  }
}

/** Those at rest, the one unused for longest first. */
const idle = new Set<Library>();

/**
 * The tokenizers library at work for one tokenizer.json, in a process of its own. Requests are answered in order.
 * A panic of the library, or work without end, is a UserError `tokenizer_failed`; a file it refuses is `tokenizer_invalid`.
 */
export class LibraryConnection {
  /** Names the tokenizer in errors. */
  readonly where: string;
  readonly #tokenizerJson: string;
  #library: Library | undefined;
  #queue: Promise<unknown> = Promise.resolve();

  constructor(tokenizerJson: string, where: string) {
    this.#tokenizerJson = tokenizerJson;
    this.where = where;
  }

  /** @param size characters or tokens in the request: how long it may take depends on it */
  ask(request: LibraryRequest, size: number): Promise<unknown> {
    const answer = this.#queue.then(async () => {
      // Again where another tokenizer took the process as soon as it was at rest.
      while (!this.#isOpen) await this.#open();
      return await (this.#library as Library).ask(request, size);
    });
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  get #isOpen(): boolean {
    return this.#library !== undefined && this.#library.isRunning && this.#library.holder === this;
  }

  async #open(): Promise<void> {
    const library = longestUnused() ?? new Library(this);
    library.holder = this;
    this.#library = undefined;
    const tokenizerJson = this.#tokenizerJson;
    await library.ask({ kind: 'open', tokenizerJson }, tokenizerJson.length);
    this.#library = library;
  }
}

/** To start a process takes a good part of a second. */
function longestUnused(): Library | undefined {
  if (idle.size < IDLE_PROCESSES) return undefined;
  return [...idle].find((library) => library.isRunning);
}
