/** Pairs that were there before. */
import { findNearDuplicates } from '../datasets/nearDuplicates.ts';
import type { SynthesisOptions } from './options.ts';
import type { Pair } from './pairs.ts';

export interface Repetition {
  readonly reason: 'duplicate' | 'near_duplicate';
  readonly detail: string;
}

/** Of each pair why it is left out, or null: of those that say the same the first one stays. */
export function repetitionsOf(
  pairs: readonly Pair[],
  { deduplicate, nearDuplicateSimilarity }: Pick<SynthesisOptions, 'deduplicate' | 'nearDuplicateSimilarity'>,
): (Repetition | null)[] {
  const found: (Repetition | null)[] = pairs.map(() => null);
  if (deduplicate === 'none') return found;
  const questions = new Set<string>();
  for (const [i, { question }] of pairs.entries()) {
    const same = wordsOf(question).join(' ');
    if (questions.has(same)) found[i] = { reason: 'duplicate', detail: 'the question was asked before' };
    questions.add(same);
  }
  if (deduplicate === 'exact') return found;
  const places = pairs.map((_, i) => i).filter((i) => found[i] === null);
  const documents = places.map((i) => hashesOf(wordsOf(`${pairs[i]?.question} ${pairs[i]?.answer}`)));
  const near = findNearDuplicates(documents, nearDuplicateSimilarity);
  for (const { first, second, similarity } of near.toSorted((a, b) => a.second - b.second || a.first - b.first)) {
    const [before, after] = [places[first] as number, places[second] as number];
    if (found[before] !== null || found[after] !== null) continue;
    const detail = `${Math.round(100 * similarity)} % the same as "${pairs[before]?.question}"`;
    found[after] = { reason: 'near_duplicate', detail };
  }
  return found;
}

/** Words in lower case; where a script has no blanks between them, characters. */
function wordsOf(text: string): string[] {
  const word = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]|[\p{L}\p{N}\p{M}]+/gu;
  const words = text.toLowerCase().match(word) ?? [];
  return words.length > 0 ? words : [text];
}

function hashesOf(words: readonly string[]): Int32Array {
  return Int32Array.from(words, (word) => {
    let hash = 0x811c9dc5;
    for (let i = 0; i < word.length; i++) hash = Math.imul(hash ^ word.charCodeAt(i), 0x01000193);
    return hash;
  });
}
