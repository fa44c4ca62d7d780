import { SourceError } from './sourceError.ts';

/** A transfer that another attempt may mend. */
export class BrokenTransfer extends SourceError {}

/** Aborts a request that makes no progress: `expect(ms)` is called again whenever enough has come or gone. */
export class Watchdog {
  readonly signal: AbortSignal;
  readonly #controller = new AbortController();
  #timer: NodeJS.Timeout | undefined;

  constructor(outer: AbortSignal | undefined) {
    this.signal = outer ? AbortSignal.any([outer, this.#controller.signal]) : this.#controller.signal;
  }

  expect(milliseconds: number): void {
    this.stop();
    this.#timer = setTimeout(() => {
      this.#controller.abort(new BrokenTransfer(`too little came through in ${milliseconds / 1000} s`));
    }, milliseconds);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }
}
