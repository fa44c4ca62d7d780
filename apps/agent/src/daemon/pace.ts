import { setTimeout as wait } from 'node:timers/promises';

/** Between two messages to one client, of all that it has subscribed to: five a second. */
const spacingMilliseconds = 200;

/** The turns of one client, in the order in which they are asked for. */
export class Pace {
  #next = 0;

  /** Resolves when the next message may be sent. Rejects when `signal` aborts. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    const at = Math.max(now, this.#next);
    this.#next = at + spacingMilliseconds;
    if (at > now) await wait(at - now, undefined, { signal });
    signal.throwIfAborted();
  }
}
