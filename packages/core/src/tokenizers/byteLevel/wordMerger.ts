import { MinHeap } from './minHeap.ts';
import type { PairTable } from './pairTable.ts';

/** An entry of the heap is rank · POSITIONS + position, exact in a double: 2²¹ ranks and 2³² positions. */
const POSITIONS = 2 ** 32;

/** Merges neighboring tokens, with room for its work that is kept from word to word. */
export class WordMerger {
  readonly #pairs: PairTable;
  readonly #heap = new MinHeap();
  #next = new Int32Array(64);
  #previous = new Int32Array(64);

  constructor(pairs: PairTable) {
    this.#pairs = pairs;
  }

  /**
   * Merges the first `count` tokens in place, the lowest rank first and of equal ones the leftmost, until no neighbors merge.
   * Takes n log n steps for n tokens, so that a text without any boundary is no trouble.
   * @param ends where each token ends
   * @returns how many are left at the front of both arrays
   */
  merge(ids: Int32Array, ends: Int32Array, count: number): number {
    this.#link(count);
    const [next, previous, heap, pairs] = [this.#next, this.#previous, this.#heap, this.#pairs];
    for (let i = 0; i + 1 < count; i++) {
      const rank = pairs.rankOf(ids[i] as number, ids[i + 1] as number);
      if (rank >= 0) heap.push(rank * POSITIONS + i);
    }
    while (heap.size > 0) {
      const entry = heap.pop();
      const left = entry % POSITIONS;
      const right = next[left] as number;
      // The two may have merged with others since. A token that is gone has the id -1, which merges with none.
      if (right >= count || pairs.rankOf(ids[left] as number, ids[right] as number) * POSITIONS + left !== entry)
        continue;
      const before = previous[left] as number;
      const after = next[right] as number;
      const merged = pairs.mergedOf(ids[left] as number, ids[right] as number);
      ids[left] = merged;
      ends[left] = ends[right] as number;
      ids[right] = -1;
      next[left] = after;
      if (before >= 0) {
        const rank = pairs.rankOf(ids[before] as number, merged);
        if (rank >= 0) heap.push(rank * POSITIONS + before);
      }
      if (after < count) {
        previous[after] = left;
        const rank = pairs.rankOf(merged, ids[after] as number);
        if (rank >= 0) heap.push(rank * POSITIONS + left);
      }
    }
    let kept = 0;
    for (let i = 0; i < count; i = next[i] as number) {
      ids[kept] = ids[i] as number;
      ends[kept++] = ends[i] as number;
    }
    return kept;
  }

  #link(count: number): void {
    if (count > this.#next.length) {
      this.#next = new Int32Array(count * 2);
      this.#previous = new Int32Array(count * 2);
    }
    for (let i = 0; i < count; i++) {
      this.#next[i] = i + 1;
      this.#previous[i] = i - 1;
    }
  }
}
