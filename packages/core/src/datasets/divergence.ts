import { type LaidDocument, layOut } from './batch.ts';
import { isTargetWord, type TokenStore } from './tokenStore.ts';
import type { Batch } from './types.ts';

/**
 * Each document's prompt with the answer of the one before it, the first with that of the last: what KTO estimates the divergence of
 * the model from its reference on. An answer is cut where it reaches beyond `sequenceLen`.
 */
export function divergenceBatches(
  store: TokenStore,
  documents: readonly number[],
  sequenceLen: number,
  maxTokens: number,
): Batch[] {
  const batches: LaidDocument[][] = [];
  let room = 0;
  for (const [i, document] of documents.entries()) {
    const words = joined(store.words(document), store.words(documents.at(i - 1) as number)).subarray(0, sequenceLen);
    if (words.length > room || batches.length === 0) {
      batches.push([]);
      room = maxTokens;
    }
    batches.at(-1)?.push({ document, words, side: 'none' });
    room -= words.length;
  }
  return batches.map(layOut);
}

/** What comes before the target tokens of the one, and these of the other. */
function joined(prompt: Uint32Array, answer: Uint32Array): Uint32Array {
  const [end, start] = [prompt.findIndex(isTargetWord), answer.findIndex(isTargetWord)];
  const words = new Uint32Array(end + answer.length - start);
  words.set(prompt.subarray(0, end));
  words.set(answer.subarray(start), end);
  return words;
}
