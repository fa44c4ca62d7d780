/** A text cut into tokens. Positions are UTF-16, as in JavaScript strings. */
export class TokenizedText {
  readonly ids: Int32Array<ArrayBuffer>;
  /** The range of each token, both ascending. Tokens that share a character (its bytes) all cover it. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** The first character that the tokenizer has no token for: it is in none of these. Null: the tokens are all of the text. */
  readonly lost: string | null;

  constructor(tokens: TokenRanges) {
    this.ids = tokens.ids;
    this.starts = tokens.starts;
    this.ends = tokens.ends;
    this.lost = tokens.lost;
  }

  /**
   * The token that starts at `position`, or `ids.length` at the end of the text.
   * Null when a token covers characters on both sides: nothing can be said of one side alone.
   */
  boundaryAt(position: number): number | null {
    const token = this.firstAfter(position);
    return token === this.ids.length || (this.starts[token] as number) >= position ? token : null;
  }

  /** The first token that covers anything from `position` on; `ids.length` when none does. */
  firstAfter(position: number): number {
    let [low, high] = [0, this.ids.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ends[middle] as number) <= position) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export interface TokenRanges {
  readonly ids: Int32Array<ArrayBuffer>;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  readonly lost: string | null;
}

/** Tokens of a text as they are found. */
export class TokenList {
  #count = 0;
  #lost: string | null = null;
  #ids = new Int32Array(1024);
  #starts = new Int32Array(1024);
  #ends = new Int32Array(1024);

  push(id: number, start: number, end: number): void {
    if (this.#count === this.#ids.length) {
      this.#ids = doubled(this.#ids);
      this.#starts = doubled(this.#starts);
      this.#ends = doubled(this.#ends);
    }
    this.#ids[this.#count] = id;
    this.#starts[this.#count] = start;
    this.#ends[this.#count++] = end;
  }

  /** @param character what no token stands for */
  lose(character: string): void {
    this.#lost ??= character;
  }

  /** What was pushed and lost since the last call. */
  take(): TokenRanges {
    const [count, lost] = [this.#count, this.#lost];
    this.#count = 0;
    this.#lost = null;
    const of = (array: Int32Array<ArrayBuffer>) => array.slice(0, count);
    return { ids: of(this.#ids), starts: of(this.#starts), ends: of(this.#ends), lost };
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2);
  larger.set(array);
  return larger;
}
