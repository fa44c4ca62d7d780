/** Numbers of which the smallest comes out first. */
export class MinHeap {
  #size = 0;
  #entries = new Float64Array(64);

  get size(): number {
    return this.#size;
  }

  push(entry: number): void {
    if (this.#size === this.#entries.length) {
      const larger = new Float64Array(this.#size * 2);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    const entries = this.#entries;
    let at = this.#size++;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = entries[parent] as number;
      if (above <= entry) break;
      entries[at] = above;
      at = parent;
    }
    entries[at] = entry;
  }

  /** Takes the smallest out; there must be one. */
  pop(): number {
    const entries = this.#entries;
    const smallest = entries[0] as number;
    const last = entries[--this.#size] as number;
    let at = 0;
    for (let child = 1; child < this.#size; child = 2 * at + 1) {
      if (child + 1 < this.#size && (entries[child + 1] as number) < (entries[child] as number)) child++;
      if (last <= (entries[child] as number)) break;
      entries[at] = entries[child] as number;
      at = child;
    }
    entries[at] = last;
    return smallest;
  }
}
