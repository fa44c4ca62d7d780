import { BYTE_CHARACTERS } from '@anneal/core/tokenizers/byteLevel/byteAlphabet';

/** Two neighboring tokens that become one. */
export type Merge = readonly [string, string];

/** GPT-2's split of a text into words, spaces kept in front: what the `ByteLevel` pre-tokenizer of Hugging Face does. */
const WORDS = /'(?:s|t|re|ve|m|ll|d)| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+/gu;

/**
 * Byte-pair encoding (Sennrich et al. 2016): joins the most frequent pair of neighbors, `count` times.
 * Of equally frequent pairs the first in code point order is taken, so that the result depends on the texts alone.
 */
export function learnMerges(texts: Iterable<string>, count: number): Merge[] {
  const words = [...countWords(texts)].map(([word, frequency]) => ({ tokens: spell(word), frequency }));
  const merges: Merge[] = [];
  while (merges.length < count) {
    const merge = mostFrequentPair(words);
    if (!merge) throw new Error(`the text is used up after ${merges.length} merges`);
    merges.push(merge);
    for (const word of words) word.tokens = join(word.tokens, merge);
  }
  return merges;
}

function countWords(texts: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const text of texts) {
    for (const [word] of text.matchAll(WORDS)) counts.set(word, (counts.get(word) ?? 0) + 1);
  }
  return counts;
}

function spell(word: string): string[] {
  return Array.from(Buffer.from(word), (byte) => BYTE_CHARACTERS[byte] ?? '');
}

function mostFrequentPair(words: readonly { tokens: readonly string[]; frequency: number }[]): Merge | undefined {
  const counts = new Map<string, number>();
  for (const { tokens, frequency } of words) {
    for (let i = 1; i < tokens.length; i++) {
      const pair = `${tokens[i - 1]} ${tokens[i]}`;
      counts.set(pair, (counts.get(pair) ?? 0) + frequency);
    }
  }
  let best: string | undefined;
  let most = 0;
  for (const [pair, frequency] of counts) {
    if (frequency > most || (frequency === most && best !== undefined && pair < best)) [best, most] = [pair, frequency];
  }
  return best?.split(' ') as [string, string] | undefined;
}

function join(tokens: readonly string[], [left, right]: Merge): string[] {
  const joined: string[] = [];
  for (const token of tokens) {
    if (token === right && joined.at(-1) === left) joined[joined.length - 1] = left + right;
    else joined.push(token);
  }
  return joined;
}
