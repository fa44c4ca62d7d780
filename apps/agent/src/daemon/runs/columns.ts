/** What a run measured, step by step, in columns: 1,000,000 steps are 56 MB and are summed up in milliseconds. */
import { type Metric, metrics, type StepEvent } from '@anneal/core/protocol/studio';

type Column = Metric | 'step' | 'seconds';

const names: readonly Column[] = ['step', 'seconds', ...metrics];

export class StepColumns {
  #length = 0;
  #capacity = 0;
  #columns = new Map<Column, Float64Array>();

  get length(): number {
    return this.#length;
  }

  /** The values so far; NaN where one was not finite. Valid until the next step is added. */
  column(name: Column): Float64Array {
    return (this.#columns.get(name) ?? new Float64Array()).subarray(0, this.#length);
  }

  add(event: StepEvent, seconds: number): void {
    if (this.#length === this.#capacity) this.#grow();
    for (const name of names) {
      const value = name === 'seconds' ? seconds : event[name];
      (this.#columns.get(name) as Float64Array)[this.#length] = value ?? Number.NaN;
    }
    this.#length++;
  }

  /** Forgets the steps after `step`, which a later launch repeats. */
  dropAfter(step: number): void {
    this.#length = this.indexAfter(step);
  }

  /** The index of the first step after `step`. */
  indexAfter(step: number): number {
    const steps = this.column('step');
    let low = 0;
    let high = steps.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((steps[middle] as number) <= step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #grow(): void {
    this.#capacity = Math.max(256, 2 * this.#capacity);
    for (const name of names) {
      const larger = new Float64Array(this.#capacity);
      larger.set(this.column(name));
      this.#columns.set(name, larger);
    }
  }
}
