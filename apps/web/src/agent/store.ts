/** A value outside of React that components can read. */
export interface Store<T> {
  read: { get(): T; subscribe(listener: () => void): () => void };
  set(value: T): void;
}

/** @param isSame of two values: setting one that is the same as before tells nobody */
export function createStore<T>(initial: T, isSame: (a: T, b: T) => boolean = Object.is): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    read: {
      get: () => value,
      subscribe(listener) {
        listeners.add(listener);
        return () => listeners.delete(listener);
      },
    },
    set(next) {
      if (isSame(next, value)) return;
      value = next;
      for (const listener of listeners) listener();
    },
  };
}

/** Of plain values: what they hold is equal. */
export function isEqualJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
