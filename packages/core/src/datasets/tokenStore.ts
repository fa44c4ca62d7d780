import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { RandomAccessFile } from '@anneal/formats/files/randomAccess';
import {
  damagedStore,
  placesOf,
  readManifest,
  refuseOtherSize,
  type StoreManifest,
  TOKENS_FILE,
} from './storeManifest.ts';
import { type Encoded, type RowSource, SIDES, type Side } from './types.ts';

/** Encoded documents by number, whatever holds them. */
export interface TokenStore {
  readonly count: number;
  /** Tokens of each document. */
  readonly lengths: Uint32Array;
  /** Target tokens of each document. */
  readonly targetCounts: Uint32Array;
  /** Token ids of one document, with `TARGET` set on target tokens. */
  words(document: number): Uint32Array;
  source(document: number): RowSource;
  side(document: number): Side;
  /** Undefined where no row has any. */
  margin(document: number): number | undefined;
  close(): void;
}

/** Bit of a stored word that says: this is a target token. Ids lie below it. */
const TARGET = 0x8000_0000;
export const idOfWord = (word: number): number => word & 0x7fff_ffff;
export const isTargetWord = (word: number): boolean => word >>> 31 === 1;

export function toWords({ ids, lossMask }: Encoded): Uint32Array<ArrayBuffer> {
  return Uint32Array.from(ids, (id, i) => (lossMask[i] === 1 ? (id | TARGET) >>> 0 : id));
}

/** 64 bits of SHA-256 over token ids and loss mask. */
export function hashOf(documents: readonly Uint32Array[]): bigint {
  const hash = createHash('sha256');
  for (const words of documents) hash.update(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
  return hash.digest().readBigUInt64LE();
}

export type StoreName = 'train' | 'validation';

/** Numbers of one kind that the index holds for every document, in their order in the file. */
interface DocumentIndex {
  starts: Float64Array;
  lengths: Uint32Array;
  targetCounts: Uint32Array;
  files: Uint32Array;
  rows: Uint32Array;
  /** Numbers in `SIDES`. */
  sides: Uint32Array;
  /** Null where rows have none. */
  margins: Float32Array | null;
}

/** Opens the training or the validation documents that lie in `folder`; only the index is read. */
export function openTokenStore(folder: string, name: StoreName): TokenStore {
  const manifest = readManifest(folder);
  const file = new RandomAccessFile(join(folder, TOKENS_FILE));
  const { documents } = manifest;
  const { indexAt, listAt } = placesOf(manifest);
  try {
    refuseOtherSize(folder, file.size, manifest);
  } catch (error) {
    file.close();
    throw error;
  }
  const uint32 = (at: number, length: number): Uint32Array => new Uint32Array(file.read(at, length * 4).buffer);
  const all: DocumentIndex = {
    starts: new Float64Array(file.read(indexAt, documents * 8).buffer),
    lengths: uint32(indexAt + documents * 8, documents),
    targetCounts: uint32(indexAt + documents * 12, documents),
    files: uint32(indexAt + documents * 16, documents),
    rows: uint32(indexAt + documents * 20, documents),
    sides: manifest.version === 1 ? new Uint32Array(documents) : uint32(indexAt + documents * 24, documents),
    margins: manifest.version < 3 ? null : new Float32Array(file.read(indexAt + documents * 28, documents * 4).buffer),
  };
  const list =
    name === 'train' ? uint32(listAt, manifest.train) : uint32(listAt + 4 * manifest.train, manifest.validation);
  if (!pointsInside(all, list, manifest)) {
    file.close();
    throw damagedStore(folder, `the index in ${TOKENS_FILE} points outside of it`);
  }
  const at = (numbers: Uint32Array | Float32Array | Float64Array, document: number): number => {
    const number = numbers[list[document] as number];
    if (number === undefined) throw new RangeError(`document ${document} of ${list.length}`);
    return number;
  };
  return {
    count: list.length,
    lengths: list.map((document) => all.lengths[document] as number),
    targetCounts: list.map((document) => all.targetCounts[document] as number),
    words: (document) => new Uint32Array(file.read(at(all.starts, document) * 4, at(all.lengths, document) * 4).buffer),
    source: (document) => ({
      file: manifest.files[at(all.files, document)] as string,
      row: at(all.rows, document),
    }),
    side: (document) => SIDES[at(all.sides, document)] as Side,
    margin: (document) => (all.margins === null ? undefined : at(all.margins, document)),
    close: () => file.close(),
  };
}

/** Whether every document of the list lies within the tokens and comes from a file that the manifest names. */
function pointsInside(
  { starts, lengths, targetCounts, files, sides, margins }: DocumentIndex,
  list: Uint32Array,
  { tokens, files: names }: StoreManifest,
): boolean {
  return list.every((document) => {
    const start = starts[document];
    const length = lengths[document] as number;
    return (
      Number.isInteger(start) &&
      (start as number) >= 0 &&
      (start as number) + length <= tokens &&
      (targetCounts[document] as number) <= length &&
      (files[document] as number) < names.length &&
      (sides[document] as number) < SIDES.length &&
      Number.isFinite(margins?.[document] ?? 0)
    );
  });
}

/** Documents that already lie in memory: for small data, `anneal verify` and tests. */
export function tokenStoreOf(documents: readonly Encoded[], sources: readonly RowSource[] = []): TokenStore {
  const words = documents.map(toWords);
  return {
    count: words.length,
    lengths: Uint32Array.from(words, (document) => document.length),
    targetCounts: Uint32Array.from(words, (document) => document.filter(isTargetWord).length),
    words: (document) => words[document] as Uint32Array,
    source: (document) => sources[document] ?? { file: 'memory', row: document + 1 },
    side: (document) => documents[document]?.side ?? 'none',
    margin: (document) => documents[document]?.margin,
    close: () => undefined,
  };
}
