import type { Tokenizer } from './tokenizer.ts';

/** Text of tokens that arrive one by one, without ever a part of a character. */
export interface DecodeStream {
  /** What the token adds; empty while a character is incomplete. */
  push(id: number): Promise<string>;
  /** What is left at the end; an incomplete character comes as U+FFFD. */
  finish(): Promise<string>;
}

/** Tokens after which a U+FFFD is taken for what the model really wrote: no character has more bytes. */
const LONGEST_CHARACTER = 4;

/**
 * Decodes with the few tokens before it, because a token's text can depend on them (a leading blank, bytes of one character),
 * and gives out what is new.
 */
export function decodeStream(tokenizer: Tokenizer, { skipSpecial = false } = {}): DecodeStream {
  /** Tokens given out already, kept as context, then those that wait. */
  let context: number[] = [];
  let waiting: number[] = [];
  let incomplete = 0;
  const added = async (): Promise<string> => {
    const before = await tokenizer.decode(context, { skipSpecial });
    const after = await tokenizer.decode([...context, ...waiting], { skipSpecial });
    return after.slice(before.length);
  };
  const release = (): void => {
    context = waiting;
    waiting = [];
  };
  return {
    async push(id) {
      waiting.push(id);
      const text = await added();
      incomplete = text.endsWith('\uFFFD') ? incomplete + 1 : 0;
      if (text === '' || (incomplete > 0 && incomplete < LONGEST_CHARACTER)) return '';
      incomplete = 0;
      release();
      return text;
    },
    async finish() {
      if (waiting.length === 0) return '';
      const text = await added();
      release();
      return text;
    },
  };
}
