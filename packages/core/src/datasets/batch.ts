import { idOfWord, isTargetWord, type TokenStore } from './tokenStore.ts';
import type { Batch, Side } from './types.ts';

/** Lays documents one after another. The sums over a step do not depend on how its documents are spread over batches. */
export function buildBatch(store: TokenStore, documents: readonly number[]): Batch {
  return layOut(
    documents.map((document) => ({
      document,
      words: store.words(document),
      side: store.side(document),
      margin: store.margin(document),
    })),
  );
}

export interface LaidDocument {
  /** Number in the token store. */
  readonly document: number;
  readonly words: Uint32Array;
  readonly side: Side;
  readonly margin?: number | undefined;
}

export function layOut(documents: readonly LaidDocument[]): Batch {
  const total = documents.reduce((sum, { words }) => sum + words.length, 0);
  const batch = {
    tokens: new Int32Array(total),
    labels: new Int32Array(total).fill(-1),
    positions: new Int32Array(total),
    cuSeqlens: new Int32Array(documents.length + 1),
    documents: documents.map(({ document }) => document),
    sides: documents.map(({ side }) => side),
    ...(documents.some(({ margin }) => margin !== undefined) && {
      margins: documents.map(({ margin = 0 }) => margin),
    }),
  };
  let at = 0;
  for (const [i, { words }] of documents.entries()) {
    for (let j = 0; j < words.length; j++, at++) {
      const word = words[j] as number;
      batch.tokens[at] = idOfWord(word);
      batch.positions[at] = j;
      if (j > 0 && isTargetWord(word)) batch.labels[at - 1] = idOfWord(word);
    }
    batch.cuSeqlens[i + 1] = at;
  }
  return batch;
}

/** Target tokens of a batch. */
export function countLabels({ labels }: Pick<Batch, 'labels'>): number {
  let count = 0;
  for (const label of labels) if (label >= 0) count++;
  return count;
}
