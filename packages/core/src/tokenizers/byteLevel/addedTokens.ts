import { isJsonObject } from '@anneal/formats/json';

/** Takes a part of a text: an added token by its id, null for what lies between. */
export type TakePart = (start: number, end: number, id: number | null) => void;

/** Finds the added tokens of a text, before anything else is cut. */
export class AddedTokens {
  readonly #ids: ReadonlyMap<string, number>;
  /** Each looks at what those before it have left. */
  readonly #expressions: readonly RegExp[];

  private constructor(ids: ReadonlyMap<string, number>, expressions: readonly RegExp[]) {
    this.#ids = ids;
    this.#expressions = expressions;
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
    return new AddedTokens(ids, groups.map(anyOf));
  }

  /** Gives the parts of a text in order. */
  split(text: string, take: TakePart): void {
    this.#split(text, 0, 0, take);
  }

  #split(text: string, offset: number, depth: number, take: TakePart): void {
    const expression = this.#expressions[depth];
    if (text === '') return;
    if (expression === undefined) return take(offset, offset + text.length, null);
    let position = 0;
    for (const { 0: token, index } of text.matchAll(expression)) {
      this.#split(text.slice(position, index), offset + position, depth + 1, take);
      position = index + token.length;
      take(offset + index, offset + position, this.#ids.get(token) as number);
    }
    this.#split(text.slice(position), offset + position, depth + 1, take);
  }
}

/** Where several begin at one place, the longest is meant. */
function anyOf(texts: readonly string[]): RegExp {
  const longestFirst = texts.toSorted((a, b) => b.length - a.length);
  return new RegExp(longestFirst.map(escapeRegex).join('|'), 'gu');
}

const escapeRegex = (text: string): string => text.replaceAll(/[\^$\\.*+?()[\]{}|/]/g, String.raw`\$&`);
