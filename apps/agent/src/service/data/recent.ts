/** What was asked for last, by key; the one that was asked for longest ago makes room for another. */
export class Recent<Value> {
  readonly #most: number;
  readonly #dropped: (value: Value) => void;
  readonly #held = new Map<string, Value>();

  /** @param dropped is told what made room */
  constructor(most: number, dropped: (value: Value) => void = () => undefined) {
    this.#most = most;
    this.#dropped = dropped;
  }

  /** The one of this key, made where it is not held. */
  get(key: string, make: () => Value): Value {
    const value = this.#held.get(key) ?? make();
    this.#held.delete(key);
    this.#held.set(key, value);
    for (const [oldest, other] of this.#held) {
      if (this.#held.size <= this.#most) break;
      this.#held.delete(oldest);
      this.#dropped(other);
    }
    return value;
  }

  /** Forgets this value, if the key still has it. */
  forget(key: string, value: Value): void {
    if (this.#held.get(key) === value) this.#held.delete(key);
  }

  /** In the order in which they were last asked for. */
  get values(): Value[] {
    return [...this.#held.values()];
  }
}
