import type { Encoding } from 'tokenizers';

/** A text cut into tokens. Positions are UTF-16, as in JavaScript strings; the library counts code points. */
export class TokenizedText {
  readonly text: string;
  readonly ids: Int32Array<ArrayBuffer>;
  readonly #encoding: Encoding;
  /** Positions of the second halves of surrogate pairs, ascending. */
  readonly #secondHalves: readonly number[];

  constructor(text: string, encoding: Encoding) {
    this.text = text;
    this.#encoding = encoding;
    this.ids = Int32Array.from(encoding.getIds());
    this.#secondHalves = secondHalves(text);
  }

  /**
   * The token that starts at `position`, or `ids.length` at the end of the text.
   * Null when a token covers characters on both sides: nothing can be said of one side alone.
   */
  boundaryAt(position: number): number | null {
    const token = this.firstAfter(position);
    if (token >= this.ids.length) return this.ids.length;
    const [start = 0] = this.#encoding.tokenToChars(token) ?? [];
    return start >= this.#toCodePoint(position) ? token : null;
  }

  /** The first token that covers anything from `position` on; `ids.length` when none does. */
  firstAfter(position: number): number {
    if (position >= this.text.length) return this.ids.length;
    const character = this.#toCodePoint(position);
    return this.#encoding.charToToken(character) ?? this.#firstEndingAfter(character);
  }

  /** The characters each token stands for. Tokens that share a character (its bytes) share its range. */
  spans(): { start: number; end: number }[] {
    return this.#encoding.getOffsets().map(([start = 0, end = 0]) => ({
      start: this.#toUtf16(start),
      end: this.#toUtf16(end),
    }));
  }

  #firstEndingAfter(character: number): number {
    const token = this.#encoding.getOffsets().findIndex(([, end = 0]) => end > character);
    return token < 0 ? this.ids.length : token;
  }

  #toCodePoint(position: number): number {
    return position - partition(this.#secondHalves.length, (k) => (this.#secondHalves[k] as number) < position);
  }

  #toUtf16(character: number): number {
    // Pair k has k pairs before it: its code point has the number (second half) - 1 - k.
    return character + partition(this.#secondHalves.length, (k) => (this.#secondHalves[k] as number) - k <= character);
  }
}

function secondHalves(text: string): number[] {
  if (!/[\ud800-\udbff][\udc00-\udfff]/.test(text)) return [];
  return Array.from(text.matchAll(/[\ud800-\udbff][\udc00-\udfff]/g), (match) => match.index + 1);
}

/** How many of 0 … count-1 come before the first for which `isBefore` is false. */
function partition(count: number, isBefore: (k: number) => boolean): number {
  let [low, high] = [0, count];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
