/** What becomes of two neighboring tokens: `rank` orders merges, the lowest comes first. A hash table, because it is asked for every pair of every new word. */
export class PairTable {
  readonly #mask: number;
  /** left, right, rank, merged for each slot; left is -1 in free ones. */
  readonly #slots: Int32Array;

  constructor(capacity: number) {
    const size = 2 ** Math.ceil(Math.log2(Math.max(capacity, 1) * 2));
    this.#mask = size - 1;
    this.#slots = new Int32Array(size * 4).fill(-1);
  }

  set(left: number, right: number, rank: number, merged: number): void {
    this.#slots.set([left, right, rank, merged], this.#slotOf(left, right));
  }

  /** -1 where the two do not merge. */
  rankOf(left: number, right: number): number {
    return this.#slots[this.#slotOf(left, right) + 2] as number;
  }

  mergedOf(left: number, right: number): number {
    return this.#slots[this.#slotOf(left, right) + 3] as number;
  }

  #slotOf(left: number, right: number): number {
    const hash = Math.imul(Math.imul(left, 0x9e3779b1) + right, 0x85ebca6b);
    for (let index = (hash ^ (hash >>> 15)) & this.#mask; ; index = (index + 1) & this.#mask) {
      const slot = index * 4;
      const found = this.#slots[slot] as number;
      if (found === -1 || (found === left && this.#slots[slot + 1] === right)) return slot;
    }
  }
}
