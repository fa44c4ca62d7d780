import { isJsonObject } from '@anneal/formats/json';
import { TextSearch } from './textSearch.ts';

/** Takes a part of a text: an added token by its id, null for what lies between. */
export type TakePart = (start: number, end: number, id: number | null) => void;

/** Finds the added tokens of a text, before anything else is cut. */
export class AddedTokens {
  readonly #ids: ReadonlyMap<string, number>;
  /** Each looks at what those before it have left. */
  readonly #groups: readonly TextSearch[];

  private constructor(ids: ReadonlyMap<string, number>, groups: readonly TextSearch[]) {
    this.#ids = ids;
    this.#groups = groups;
  }

  /** @param description `added_tokens`; @returns null where one takes white space along or stands for whole words only */
  static from(description: unknown): AddedTokens | null {
    const tokens = Array.isArray(description) ? description.filter(isJsonObject) : [];
    if (tokens.some(({ lstrip, rstrip, single_word: singleWord }) => lstrip || rstrip || singleWord)) return null;
    const ids = new Map(tokens.map(({ content, id }) => [String(content), Number(id)]));
    const textsOf = (normalized: boolean): string[] =>
      tokens
        .filter((token) => (token.normalized === true) === normalized && token.content !== '')
        .map(({ content }) => String(content));
    const groups = [textsOf(false), textsOf(true)].filter((texts) => texts.length > 0);
    return new AddedTokens(
      ids,
      groups.map((texts) => new TextSearch(texts)),
    );
  }

  /** Gives the parts of a text in order. */
  split(text: string, take: TakePart): void {
    this.#split(text, 0, 0, take);
  }

  #split(text: string, offset: number, depth: number, take: TakePart): void {
    const group = this.#groups[depth];
    if (text === '') return;
    if (group === undefined) return take(offset, offset + text.length, null);
    let position = 0;
    for (const [start, end] of group.findAll(text)) {
      this.#split(text.slice(position, start), offset + position, depth + 1, take);
      position = end;
      take(offset + start, offset + end, this.#ids.get(text.slice(start, end)) as number);
    }
    this.#split(text.slice(position), offset + position, depth + 1, take);
  }
}
