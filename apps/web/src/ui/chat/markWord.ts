/** Stands in a text before the word that is to be marked: one of Unicode's noncharacters, which no text has. */
const sign = '\uFDD0';

/** Puts the sign before the first letter or digit of the word at `at`, so that no emphasis or code is torn. */
export function signWord(text: string, at: number): string {
  const from = at - (text.slice(0, at).match(/\S*$/)?.[0].length ?? 0);
  const word = /^\S+/.exec(text.slice(from))?.[0] ?? '';
  const inWord = word.search(/[\p{L}\p{N}]/u);
  const place = from + Math.max(0, inWord);
  return text.slice(0, place) + sign + text.slice(place);
}

/** The text before the sign, the word after it, and the rest; undefined where there is no sign. */
export function atSign(text: string): { before: string; word: string; after: string } | undefined {
  const at = text.indexOf(sign);
  if (at < 0) return undefined;
  const rest = text.slice(at + sign.length);
  const word = /^\S+/.exec(rest)?.[0] ?? rest.slice(0, 1);
  return { before: text.slice(0, at), word, after: rest.slice(word.length) };
}

export function withoutSign(text: string): string {
  return text.replace(sign, '');
}
