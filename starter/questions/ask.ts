import type { Choice } from '../choice.ts';

export interface Question {
  readonly ask: string;
  readonly answer: string;
  /** The answer in one word, where there is one. */
  readonly word?: string;
}

export type Ask = (c: Choice) => Question;

/** `[a lemon, yellow]` → a question and its answer in a random wording. */
export function pick<T>(c: Choice, table: Readonly<Record<string, T>>): [string, T] {
  return c.one(Object.entries(table));
}
