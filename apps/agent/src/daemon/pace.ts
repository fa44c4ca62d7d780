/** Between two messages to one client, of all that it has subscribed to: five a second. */
const spacingMilliseconds = 200;
/** Turns that have to be waited for come on the same ticks for all clients: one timer wakes a thousand. */
const tickMilliseconds = 25;

const waiting = new Map<number, (() => void)[]>();

/** The turns of one client, in the order in which they are asked for. */
export class Pace {
  #next = 0;

  /** Resolves when the next message may be sent. Rejects then if `signal` has been aborted. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = performance.now();
    if (now >= this.#next) {
      this.#next = now + spacingMilliseconds;
    } else {
      const tick = Math.ceil(this.#next / tickMilliseconds);
      this.#next = tick * tickMilliseconds + spacingMilliseconds;
      await new Promise<void>((resolve) => wakeAt(tick, resolve));
    }
    signal.throwIfAborted();
  }
}

function wakeAt(tick: number, wake: () => void): void {
  const others = waiting.get(tick);
  if (others) {
    others.push(wake);
    return;
  }
  const all = [wake];
  waiting.set(tick, all);
  setTimeout(
    () => {
      waiting.delete(tick);
      for (const each of all) each();
    },
    tick * tickMilliseconds - performance.now(),
  );
}
