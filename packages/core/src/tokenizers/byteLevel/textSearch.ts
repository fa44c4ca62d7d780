/**
 * Finds any of many texts in another one, in a time that hardly depends on how many they are: a place costs the length of
 * what begins there, each character of it a search by halves. A regular expression of all would try one after the other.
 */
export class TextSearch {
  /** In the order of their code units, so that those with one beginning lie beside each other. */
  readonly #texts: readonly string[];
  readonly #firsts: ReadonlySet<number>;

  /** @param texts none of them empty */
  constructor(texts: readonly string[]) {
    this.#texts = [...new Set(texts)].sort();
    this.#firsts = new Set(texts.map((text) => text.charCodeAt(0)));
  }

  /** From left to right without overlap; where several begin at one place, the longest is meant. */
  *findAll(text: string): Generator<readonly [start: number, end: number]> {
    for (let start = 0; start < text.length; ) {
      const end = this.#firsts.has(text.charCodeAt(start)) ? this.#longestAt(text, start) : null;
      if (end !== null) yield [start, end];
      start = end ?? start + (isInsidePair(text, start + 1) ? 2 : 1);
    }
  }

  #longestAt(text: string, start: number): number | null {
    let [from, to, longest] = [0, this.#texts.length, null as number | null];
    for (let at = start; at < text.length; at++) {
      const depth = at - start;
      const unit = text.charCodeAt(at);
      from = this.#firstWith(depth, unit, from, to);
      to = this.#firstWith(depth, unit + 1, from, to);
      if (from === to) break;
      // The shortest of those with this beginning comes first.
      const isWhole = (this.#texts[from] as string).length === depth + 1;
      if (isWhole && !isInsidePair(text, at + 1)) longest = at + 1;
    }
    return longest;
  }

  /** Of texts that agree before `depth`, the first with `unit` or more there. */
  #firstWith(depth: number, unit: number, from: number, to: number): number {
    let [low, high] = [from, to];
    while (low < high) {
      const middle = (low + high) >> 1;
      const found = (this.#texts[middle] as string).charCodeAt(depth); // NaN where it ends
      if (found >= unit) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** Whether the two code units around this place are one character. */
function isInsidePair(text: string, at: number): boolean {
  return (text.charCodeAt(at - 1) & 0xfc00) === 0xd800 && (text.charCodeAt(at) & 0xfc00) === 0xdc00;
}
