/** What is said of a whole data set: how it packs, what is in it twice, and what of the validation set is in the training set. */
import { isDeepStrictEqual } from 'node:util';
import type { DataReport } from '../protocol/data.ts';
import { permutation } from '../random.ts';
import { cacheWarning } from './cacheWarning.ts';
import { findNearDuplicates } from './nearDuplicates.ts';
import { packBins, packingEfficiency } from './pack.ts';
import type { PreparedData } from './preparedData.ts';
import { rowLengths } from './steps.ts';
import { hashOf, idOfWord, type TokenStore } from './tokenStore.ts';
import type { RowSource } from './types.ts';

const MOST_COMPARED = 50_000;
const EXAMPLES = 20;

/** Looks at the very token cache that training reads. @param options.packs rows can be packed, whether they are or not */
export function inspectData(
  prepared: Pick<PreparedData, 'train' | 'validation' | 'summary' | 'cacheError'>,
  options: { sequenceLen: number; seed: number; packs: boolean; answersPerRow?: 1 | 2 | undefined },
): DataReport {
  const { train, validation, summary } = prepared;
  const { answersPerRow = 1 } = options;
  const binTokens = options.sequenceLen * answersPerRow;
  // Validation first and at most half, so that however large the training set is, some of both are compared.
  const measured = validation === null ? [] : documentsOf(validation, MOST_COMPARED / 2);
  const documents = [...measured, ...documentsOf(train, MOST_COMPARED - measured.length)];
  // Two answers of one row have their prompt in common.
  const pairs = findNearDuplicates(documents.map((document) => document.ids)).filter(
    ({ first, second }) =>
      documents[first]?.hash !== documents[second]?.hash &&
      !isDeepStrictEqual(documents[first]?.source, documents[second]?.source),
  );
  const crossing = pairs.filter(({ first, second }) => documents[first]?.store !== documents[second]?.store);
  const source = (i: number): RowSource => documents[i]?.source as RowSource;
  return {
    summary,
    sequenceLen: binTokens,
    packing: options.packs ? packingOf(rowLengths(train, answersPerRow), binTokens, options.seed) : null,
    nearDuplicates: {
      compared: documents.length,
      pairs: pairs.length,
      examples: pairs
        .toSorted((a, b) => b.similarity - a.similarity)
        .slice(0, EXAMPLES)
        .map(({ first, second, similarity }) => ({ first: source(first), second: source(second), similarity })),
    },
    leakage: {
      exact: validation === null ? 0 : countShared(validation, train),
      near: new Set(crossing.map(({ first }) => first)).size,
    },
    warnings: prepared.cacheError ? [cacheWarning('prepared data', prepared.cacheError)] : [],
  };
}

function packingOf(lengths: Uint32Array, binTokens: number, seed: number): DataReport['packing'] {
  const bins = packBins(lengths, permutation(lengths.length, 'pack', seed), binTokens);
  const singles = Array.from(lengths, (_, i) => [i]);
  return {
    bins: bins.length,
    efficiency: packingEfficiency(lengths, bins, binTokens),
    unpacked: packingEfficiency(lengths, singles, binTokens),
  };
}

/** How many documents of `store` are in `other` too. */
function countShared(store: TokenStore, other: TokenStore): number {
  const theirs = new Set(hashesOf(other));
  return hashesOf(store).filter((hash) => theirs.has(hash)).length;
}

function hashesOf(store: TokenStore): bigint[] {
  return Array.from({ length: store.count }, (_, i) => hashOf([store.words(i)]));
}

interface InspectedDocument {
  readonly store: TokenStore;
  readonly source: RowSource;
  readonly ids: Uint32Array;
  readonly hash: bigint;
}

/** The first distinct documents of a store; a data set of weight 2 holds each twice. */
function documentsOf(store: TokenStore, most: number): InspectedDocument[] {
  const documents: InspectedDocument[] = [];
  const seen = new Set<string>();
  for (let i = 0; i < store.count && documents.length < most; i++) {
    const words = store.words(i);
    const source = store.source(i);
    const hash = hashOf([words]);
    const key = `${source.file}:${source.row}:${hash}`;
    if (seen.has(key)) continue;
    seen.add(key);
    documents.push({ store, source, ids: words.map(idOfWord), hash });
  }
  return documents;
}
