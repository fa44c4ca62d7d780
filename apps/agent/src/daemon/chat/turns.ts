import { UserError } from '@anneal/core/errors';

interface Waiting {
  client: string;
  begin: () => void;
}

/** Who uses a model next: one at a time; of those who wait the client that was served longest ago, so that many requests of one do not hold up another. */
export class Turns {
  readonly #most: number;
  readonly #waiting: Waiting[] = [];
  /** The clients in the order in which they were served last. */
  #served: string[] = [];
  #busy = false;

  /** @param most that may wait */
  constructor(most: number) {
    this.#most = most;
  }

  get busy(): boolean {
    return this.#busy;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /**
   * Resolves when it is this client's turn, to how to end that.
   * @throws UserError `model_busy`; the reason of the signal
   */
  async take(client: string, signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#busy) await this.#wait(client, signal);
    this.#busy = true;
    this.#served = [...this.#served.filter((other) => other !== client), client].slice(-1000);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      const next = this.#takeNext();
      // Whoever is next has the model without a moment in which somebody else could take it.
      if (next) next.begin();
      else this.#busy = false;
    };
  }

  #wait(client: string, signal: AbortSignal): Promise<void> {
    if (this.#waiting.length >= this.#most) {
      throw new UserError({
        what: `${this.#most} requests wait for this model already`,
        next: 'try again in a moment',
        code: 'model_busy',
      });
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1);
        reject(signal.reason);
      };
      const waiting: Waiting = {
        client,
        begin: () => {
          signal.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(waiting);
    });
  }

  #takeNext(): Waiting | undefined {
    const age = ({ client }: Waiting): number => this.#served.indexOf(client);
    const next = this.#waiting.reduce<Waiting | undefined>(
      (first, one) => (first && age(first) <= age(one) ? first : one),
      undefined,
    );
    if (next) this.#waiting.splice(this.#waiting.indexOf(next), 1);
    return next;
  }
}
