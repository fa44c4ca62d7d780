/** Puts items of given lengths into bins of one capacity, wasting little: best-fit decreasing. */

/** Documents considered together when bins are filled. Larger wastes less; this much is within 0.1 % of all at once. */
const WINDOW = 1 << 16;

/**
 * Best-fit decreasing over consecutive windows of `order`: each item, longest first, goes into the fullest bin that still holds it.
 * Ties are decided by the position in `order`, so the same input gives the same bins.
 *
 * @param lengths tokens of every item; none longer than `capacity`
 * @param order the items to pack, in the order in which they compete
 * @returns bins of items, each in the order they were put in
 */
export function packBins(lengths: ArrayLike<number>, order: Uint32Array, capacity: number): number[][] {
  const bins: number[][] = [];
  for (let from = 0; from < order.length; from += WINDOW) {
    bins.push(...packWindow(lengths, order.subarray(from, from + WINDOW), capacity));
  }
  return bins;
}

function packWindow(lengths: ArrayLike<number>, window: Uint32Array, capacity: number): number[][] {
  const longestFirst = [...window.keys()].sort(
    (a, b) => (lengths[window[b] as number] as number) - (lengths[window[a] as number] as number) || a - b,
  );
  const bins: number[][] = [];
  // The index is as large as a bin, which may have room for far more than there is.
  const total = window.reduce((sum, item) => sum + (lengths[item] as number), 0);
  const room = Math.min(capacity, total);
  const bySpace = new SpaceIndex(room);
  for (const position of longestFirst) {
    const item = window[position] as number;
    const length = lengths[item] as number;
    if (length > capacity) throw new RangeError(`an item of ${length} tokens does not fit into ${capacity}`);
    const space = bySpace.smallestAtLeast(length);
    let bin: number;
    if (space === undefined) bin = bins.push([]) - 1;
    else bin = bySpace.take(space);
    (bins[bin] as number[]).push(item);
    bySpace.put((space ?? room) - length, bin);
  }
  return bins;
}

/** Open bins by the space left in them; finds the tightest one in log(capacity). */
class SpaceIndex {
  readonly #size: number;
  /** Implicit binary tree: how many bins lie below each node. */
  readonly #counts: Uint32Array;
  readonly #bins = new Map<number, number[]>();

  constructor(capacity: number) {
    this.#size = 2 ** Math.ceil(Math.log2(capacity + 1));
    this.#counts = new Uint32Array(2 * this.#size);
  }

  put(space: number, bin: number): void {
    const bins = this.#bins.get(space);
    if (bins === undefined) this.#bins.set(space, [bin]);
    else bins.push(bin);
    this.#add(space, 1);
  }

  take(space: number): number {
    const bin = this.#bins.get(space)?.pop();
    if (bin === undefined) throw new Error(`no bin with ${space} tokens of space`);
    this.#add(space, -1);
    return bin;
  }

  smallestAtLeast(space: number): number | undefined {
    let node = space + this.#size;
    if (this.#counts[node]) return space;
    // Up until a right sibling holds bins, then down to its smallest.
    while (node > 1 && (node % 2 === 1 || this.#counts[node + 1] === 0)) node >>= 1;
    if (node <= 1) return undefined;
    node++;
    while (node < this.#size) node = this.#counts[2 * node] ? 2 * node : 2 * node + 1;
    return node - this.#size;
  }

  #add(space: number, change: number): void {
    for (let node = space + this.#size; node >= 1; node >>= 1) {
      this.#counts[node] = (this.#counts[node] as number) + change;
    }
  }
}

/** Share of the tokens of `bins` that are not empty space. 1 for no bins. */
export function packingEfficiency(
  lengths: ArrayLike<number>,
  bins: readonly (readonly number[])[],
  capacity: number,
): number {
  let tokens = 0;
  for (const bin of bins) for (const item of bin) tokens += lengths[item] as number;
  return bins.length === 0 ? 1 : tokens / (bins.length * capacity);
}
