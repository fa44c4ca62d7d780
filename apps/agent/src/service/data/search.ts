import type { SearchState } from '@anneal/core/protocol/dataView';
import type { InspectedRows } from './rows.ts';

/** Rows looked at together; what else is asked for is answered in between. */
const pageRows = 256;
/** Between two changes that are told. */
const spacingMilliseconds = 200;

/** The rows that hold a text, in any case, found in the background. */
export class Search {
  readonly text: string;
  /** Their places, from 0 and ascending. */
  readonly found: number[] = [];
  readonly #onChange: () => void;
  readonly #given = new AbortController();
  readonly #ended: Promise<void>;
  #looked = 0;
  #isDone = false;
  #told = 0;

  constructor(text: string, rows: InspectedRows, onChange: () => void) {
    this.text = text;
    this.#onChange = onChange;
    this.#ended = this.#work(rows, this.#given.signal);
  }

  get state(): SearchState {
    return { text: this.text, looked: this.#looked, found: this.found.length, isDone: this.#isDone };
  }

  /** Resolves when it reads no more. */
  stop(): Promise<void> {
    this.#given.abort();
    return this.#ended;
  }

  async #work(rows: InspectedRows, signal: AbortSignal): Promise<void> {
    const wanted = this.text.toLowerCase();
    for await (const { file, offset, limit, number } of rows.parts(1, Number.POSITIVE_INFINITY)) {
      for (let done = 0; done < limit && !signal.aborted; done += pageRows) {
        const page = await file.raw(offset + done, Math.min(pageRows, limit - done));
        for (const [i, { value }] of page.entries()) {
          if (holds(value, wanted)) this.found.push(number - 1 + done + i);
        }
        this.#looked = number - 1 + done + page.length;
        if (performance.now() - this.#told > spacingMilliseconds) this.#tell();
      }
      if (signal.aborted) return;
    }
    this.#isDone = true;
    this.#tell();
  }

  #tell(): void {
    this.#told = performance.now();
    this.#onChange();
  }
}

/** Who looks for an ant does not mean every assistant. */
const roleFields: ReadonlySet<string> = new Set(['role', 'from']);

/** Whether a text in it, however deep, holds what is wanted. */
function holds(value: unknown, wanted: string): boolean {
  if (typeof value === 'string') return value.toLowerCase().includes(wanted);
  if (typeof value === 'number') return String(value).includes(wanted);
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([key, part]) => !roleFields.has(key) && holds(part, wanted));
}
