import { ForeignProcess, processBeside } from '../foreignProcess.ts';
import { tokenizerFailed, tokenizerInvalid } from './errors.ts';
import type { LibraryRequest } from './libraryProcess.ts';

/** A foreign expression may take quadratic time. Real tokenizers do a million characters a second. */
const PATIENCE_MILLISECONDS = 60_000;
const PATIENCE_PER_CHARACTER = 0.05;
/** An unused process goes; the next request starts another. */
const IDLE_MILLISECONDS = 30_000;
/** Of all tokenizers together; the longest unused goes first. */
const IDLE_PROCESSES = 4;
const idle = new Set<ForeignProcess>();

/**
 * The tokenizers library at work for one tokenizer.json, in a process of its own. Requests are answered in order.
 * A panic of the library, or work without end, is a UserError `tokenizer_failed`; a file it refuses is `tokenizer_invalid`.
 */
export class LibraryConnection {
  readonly #tokenizerJson: string;
  readonly #where: string;
  #library: ForeignProcess | undefined;
  #queue: Promise<unknown> = Promise.resolve();
  #idle: NodeJS.Timeout | undefined;

  constructor(tokenizerJson: string, where: string) {
    this.#tokenizerJson = tokenizerJson;
    this.#where = where;
  }

  /** @param size characters or tokens in the request: how long it may take depends on it */
  ask(request: LibraryRequest, size: number): Promise<unknown> {
    const answer = this.#queue.then(async () => {
      const library = this.#library?.isRunning ? this.#library : await this.#open();
      return await this.#send(library, request, size);
    });
    this.#queue = answer.catch(() => undefined);
    return answer;
  }

  async #open(): Promise<ForeignProcess> {
    const where = this.#where;
    const library = new ForeignProcess(processBeside(import.meta.url, 'libraryProcess'), {
      refused: (message) => tokenizerInvalid(message, where),
      failed: (reason) => tokenizerFailed(reason, where),
    });
    const tokenizerJson = this.#tokenizerJson;
    try {
      await this.#send(library, { kind: 'open', tokenizerJson }, tokenizerJson.length);
    } catch (error) {
      end(library);
      throw error;
    }
    this.#library = library;
    return library;
  }

  async #send(library: ForeignProcess, request: LibraryRequest, size: number): Promise<unknown> {
    clearTimeout(this.#idle);
    idle.delete(library);
    try {
      return await library.ask(request, PATIENCE_MILLISECONDS + size * PATIENCE_PER_CHARACTER);
    } finally {
      this.#idle = setTimeout(() => end(library), IDLE_MILLISECONDS).unref();
      idle.add(library);
      for (const unused of idle) if (!unused.isRunning || idle.size > IDLE_PROCESSES) end(unused);
    }
  }
}

function end(library: ForeignProcess): void {
  idle.delete(library);
  library.end();
}
