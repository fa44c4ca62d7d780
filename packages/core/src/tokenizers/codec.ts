import type { TokenizedText } from './tokenizedText.ts';

export interface SpecialToken {
  readonly id: number;
  readonly text: string;
}

/** A token that the vocabulary holds besides the model's own, recognized in any text. */
export interface AddedToken extends SpecialToken {
  /** Left out by `decode` with `skipSpecial`. */
  readonly special: boolean;
}

/** Text ↔ ids for one kind of tokenizer. */
export interface Codec {
  /** Largest id + 1, added tokens included. */
  readonly vocabSize: number;
  /**
   * Control tokens in the texts become their ids.
   * @param addSpecial with what the tokenizer puts around a plain text, usually its BOS token
   */
  encode(texts: readonly string[], addSpecial: boolean): Promise<TokenizedText[]>;
  /** Ids that do not exist are left out; bytes that are no UTF-8 become U+FFFD. */
  decode(ids: ArrayLike<number>, skipSpecial: boolean): Promise<string>;
  /** Null for a token that does not exist. */
  idOf(token: string): number | null;
  /** How the vocabulary spells the token (byte-level vocabularies write a blank as Ġ); null for an id that does not exist. */
  tokenText(id: number): string | null;
  /** What the token stands for, where that does not depend on its neighbors; null where it does, or the id does not exist. */
  tokenBytes(id: number): Uint8Array | null;
}
