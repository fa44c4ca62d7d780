/** Samples of the machine, taken only while somebody looks. */
import type { HostSample } from '@anneal/core/protocol/host';
import { type CoreTimes, coreTimes, sampleHost } from '../service/host/sample.ts';

const everyMilliseconds = 2000;

export class Telemetry {
  readonly #folder: string;
  readonly #listeners = new Set<() => void>();
  #since: CoreTimes = coreTimes();
  #latest: HostSample | undefined;
  #timer: NodeJS.Timeout | undefined;
  #sampling: Promise<HostSample> | undefined;

  /** @param folder whose disk is looked at */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Of the last seconds; undefined before the first one is taken. */
  get latest(): HostSample | undefined {
    return this.#latest;
  }

  /** Calls `listener` after each sample. Returns how to end that. */
  onSample(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setTimeout(() => this.#tick(), 0);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.close();
    };
  }

  /** A sample as of now, for who asks once. */
  sample(): Promise<HostSample> {
    this.#sampling ??= sampleHost(this.#folder, this.#since).finally(() => {
      this.#since = coreTimes();
      this.#sampling = undefined;
    });
    return this.#sampling;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#latest = undefined;
  }

  async #tick(): Promise<void> {
    const timer = this.#timer;
    try {
      this.#latest = await this.sample();
      for (const listener of this.#listeners) listener();
    } catch {
      // The folder is gone, say: those who look keep what they have, and the next sample may succeed.
    }
    if (this.#timer === timer && this.#listeners.size > 0) {
      this.#timer = setTimeout(() => this.#tick(), everyMilliseconds);
    }
  }
}
