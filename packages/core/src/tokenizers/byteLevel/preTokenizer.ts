import { readSplits, SPLITS } from '@anneal/formats/tokenizer/splits';

/** An expression in two ways: matching where it stands, and from there on. */
interface Split {
  readonly here: RegExp;
  readonly ahead: RegExp;
}

/** Takes a word; positions are UTF-16. */
type TakeWord = (start: number, end: number) => void;

/** Cuts texts into words, beyond whose ends no token reaches. */
export class PreTokenizer {
  readonly #splits: readonly Split[];

  private constructor(splits: readonly Split[]) {
    this.#splits = splits;
  }

  /** @param description `pre_tokenizer` of tokenizer.json; @returns null where it cuts by anything but expressions that are known to take linear time */
  static from(description: unknown): PreTokenizer | null {
    const splits = readSplits(description);
    if (splits === null || !splits.every((split) => KNOWN.has(split))) return null;
    return new PreTokenizer(splits.map(compile));
  }

  /** Gives the words of a text in order. Nothing is left out. */
  split(text: string, take: TakeWord): void {
    this.#split(text, 0, 0, take);
  }

  #split(text: string, offset: number, depth: number, take: TakeWord): void {
    const split = this.#splits[depth];
    if (split === undefined) return take(offset, offset + text.length);
    const isLast = depth === this.#splits.length - 1;
    const cut = (start: number, end: number): void => {
      if (isLast) take(offset + start, offset + end);
      // The next expression sees the piece alone: what it looks ahead to ends with it.
      else this.#split(text.slice(start, end), offset + start, depth + 1, take);
    };
    const { here, ahead } = split;
    for (let position = 0; position < text.length; ) {
      here.lastIndex = position;
      let end = here.test(text) ? here.lastIndex : -1;
      if (end < 0) {
        ahead.lastIndex = position;
        end = ahead.exec(text)?.index ?? text.length;
      }
      cut(position, end);
      position = end;
    }
  }
}

const KNOWN: ReadonlySet<string> = new Set(Object.values(SPLITS));

function compile(expression: string): Split {
  // JavaScript's \s counts U+FEFF as white space and U+0085 not.
  const source = expression.replaceAll('\\s', '\\p{White_Space}').replaceAll('\\S', '\\P{White_Space}');
  return { here: new RegExp(source, 'uy'), ahead: new RegExp(source, 'ug') };
}
