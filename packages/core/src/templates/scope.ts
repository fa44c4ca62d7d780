import { TemplateError } from './errors.ts';
import { chargeText } from './meter.ts';
import type { Value } from './values.ts';

/** Macros calling macros. */
const MAX_DEPTH = 100;

/** Where printed text goes; a `set` block or macro prints into its own. */
class Output {
  #parts: string[] = [];
  length = 0;

  write(text: string): void {
    if (text === '') return;
    chargeText(text.length);
    this.#parts.push(text);
    this.length += text.length;
  }

  text(): string {
    return this.#parts.join('');
  }
}

/** One rendering: its output, its budget, and where the messages of the conversation come out. */
export class Run {
  readonly root = new Output();
  out: Output = this.root;
  /** Number of each message object, for finding the loop that prints them. */
  readonly messages: ReadonlyMap<object, number>;
  /** What each message printed, as ranges of the root output. */
  readonly printed: { message: number; start: number; end: number }[] = [];
  /** A loop over messages inside another one says nothing about where they are printed. */
  insideMessage = false;
  #depth = 0;

  constructor(messages: ReadonlyMap<object, number>) {
    this.messages = messages;
  }

  /** What `body` prints, instead of printing it. */
  capture(body: () => void): string {
    const outer = this.out;
    this.out = new Output();
    if (++this.#depth > MAX_DEPTH) throw new TemplateError(`macros nested deeper than ${MAX_DEPTH}`);
    try {
      body();
      return this.out.text();
    } finally {
      this.out = outer;
      this.#depth--;
    }
  }
}

/** Variables by name; a loop iteration and a macro call open a scope of their own, an `if` does not. */
export class Scope {
  readonly run: Run;
  readonly #parent: Scope | null;
  readonly #variables = new Map<string, Value>();

  constructor(run: Run, parent: Scope | null) {
    this.run = run;
    this.#parent = parent;
  }

  inner(): Scope {
    return new Scope(this.run, this);
  }

  get(name: string): Value | undefined {
    const value = this.#variables.get(name);
    return value === undefined ? this.#parent?.get(name) : value;
  }

  set(name: string, value: Value): void {
    this.#variables.set(name, value);
  }
}
