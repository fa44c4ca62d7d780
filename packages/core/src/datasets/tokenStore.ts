import { createHash } from 'node:crypto';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { AtomicFile } from '@anneal/formats/files/atomicWrite';
import { RandomAccessFile, readSmallFile } from '@anneal/formats/files/randomAccess';
import { refuseSpecialFile } from '@anneal/formats/files/regularFile';
import { LIMITS } from '@anneal/formats/limits';
import { z } from 'zod';
import { sha256OfFile } from '../fileHash.ts';
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

/** Documents are numbered in 32 bits. */
const count = z.int().min(0);
const documentCount = count.max(2 ** 32 - 1);

/** Of the layout of the tokens' file; 1 had no sides. */
export const STORE_VERSION = 2;

export const TOKENS_FILE = 'tokens.bin';
export const MANIFEST_FILE = 'manifest.json';
/** The rows that are not trained as they are, beside the tokens. */
export const DROPPED_FILE = 'dropped.jsonl';
/** What became of each row, in numbers (`RowTable`). */
export const ROWS_FILE = 'rows.bin';

const manifestSchema = z.looseObject({
  version: z.int().min(1).max(STORE_VERSION),
  /** Hash of everything the tokens depend on. */
  key: z.string(),
  tokens: count,
  documents: documentCount,
  /** Documents of an epoch, repeated ones counted as often as they stand in it. */
  train: documentCount,
  validation: documentCount,
  /** Of the file of tokens, which is checked before it is trained on again. */
  sha256: z.string(),
  files: z.array(z.string()).readonly(),
  /** `PreparedSummary`. */
  summary: z.unknown(),
  /** Of the files beside it, by their names; absent from what older versions wrote. */
  beside: z.partialRecord(z.enum([ROWS_FILE, DROPPED_FILE]), z.string()).optional(),
  /** Bytes of the same files: one with a hole may have the size of a disk, and takes as long to hash. */
  sizes: z.partialRecord(z.enum([ROWS_FILE, DROPPED_FILE]), count).optional(),
});

/** What `manifest.json` beside the tokens says about them; written last, so that its presence means: complete. */
export type StoreManifest = Readonly<z.infer<typeof manifestSchema>>;

/** Numbers of one kind that the index holds for every document, in their order in the file. */
interface DocumentIndex {
  starts: Float64Array;
  lengths: Uint32Array;
  targetCounts: Uint32Array;
  files: Uint32Array;
  rows: Uint32Array;
  /** Numbers in `SIDES`. */
  sides: Uint32Array;
}

/**
 * Streams documents into `tokens.bin`: all words, padded to 8 bytes; then per document its start (float64), length, number of
 * target tokens, file, row and side (uint32 each); then the documents of the training and of the validation set (uint32). Little-endian.
 */
export class TokenStoreWriter {
  readonly #file: AtomicFile;
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  readonly #targetCounts: number[] = [];
  readonly #files: number[] = [];
  readonly #rows: number[] = [];
  readonly #sides: number[] = [];
  readonly #hash = createHash('sha256');
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #tokens = 0;

  private constructor(file: AtomicFile) {
    this.#file = file;
  }

  static async create(folder: string): Promise<TokenStoreWriter> {
    return new TokenStoreWriter(await AtomicFile.create(join(folder, TOKENS_FILE)));
  }

  get documents(): number {
    return this.#starts.length;
  }

  get tokens(): number {
    return this.#tokens;
  }

  get lengths(): readonly number[] {
    return this.#lengths;
  }

  get targetCounts(): readonly number[] {
    return this.#targetCounts;
  }

  /** @returns the number of the document. */
  async append(
    words: Uint32Array,
    targetCount: number,
    file: number,
    row: number,
    side: Side = 'none',
  ): Promise<number> {
    const document = this.#starts.length;
    this.#starts.push(this.#tokens);
    this.#lengths.push(words.length);
    this.#targetCounts.push(targetCount);
    this.#files.push(file);
    this.#rows.push(row);
    this.#sides.push(SIDES.indexOf(side));
    this.#tokens += words.length;
    this.#pending.push(new Uint8Array(words.buffer, words.byteOffset, words.byteLength));
    this.#pendingBytes += words.byteLength;
    if (this.#pendingBytes > 4 << 20) await this.#flush();
    return document;
  }

  /**
   * `train` and `validation` list documents, in order; a document may stand there several times.
   * @returns the SHA-256 of the whole file
   */
  async finish(train: Uint32Array, validation: Uint32Array): Promise<{ sha256: string }> {
    if (this.#tokens % 2 === 1) this.#push(new Uint32Array(1));
    this.#push(Float64Array.from(this.#starts));
    for (const numbers of [this.#lengths, this.#targetCounts, this.#files, this.#rows, this.#sides]) {
      this.#push(Uint32Array.from(numbers));
    }
    this.#push(train);
    this.#push(validation);
    await this.#flush();
    await this.#file.commit();
    return { sha256: this.#hash.digest('hex') };
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }

  #push(values: Uint32Array | Float64Array): void {
    this.#pending.push(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }

  async #flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#hash.update(bytes);
    await this.#file.write(bytes);
  }
}

/** The manifest as text, with a checksum of its own, so that no number in it can change unnoticed. */
export function sealManifest(manifest: StoreManifest): string {
  return JSON.stringify({ ...manifest, checksum: checksumOf(manifest) });
}

/** @throws UserError `token_cache_damaged` */
export function readManifest(folder: string): StoreManifest {
  const path = join(folder, MANIFEST_FILE);
  refuseSpecialFile(path);
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(readSmallFile(path, LIMITS.indexBytes)).toString());
  } catch (cause) {
    throw damagedStore(folder, `${MANIFEST_FILE} cannot be read (${(cause as Error).message})`);
  }
  const { success, data, error } = manifestSchema.safeParse(json);
  if (success) return data;
  const [issue] = error.issues;
  throw damagedStore(folder, `${MANIFEST_FILE}: ${issue?.path.join('.') || 'the whole'}: ${issue?.message}`);
}

/**
 * Reads every byte of a store that an earlier process left, and of the files beside it.
 * @param options.unsealed whether a manifest without a checksum will do, as older versions wrote it
 * @throws UserError `token_cache_damaged`
 */
export async function verifyTokenStore(
  folder: string,
  { unsealed = false, signal }: { unsealed?: boolean; signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { checksum, ...manifest } = readManifest(folder) as StoreManifest & { checksum?: string };
  const isSealed = checksum === checksumOf(manifest) || (unsealed && checksum === undefined);
  if (!isSealed) throw damagedStore(folder, `${MANIFEST_FILE} is not as it was written`);
  for (const [name, sha256] of Object.entries({ [TOKENS_FILE]: manifest.sha256, ...manifest.beside })) {
    const path = join(folder, name);
    refuseSpecialFile(path);
    if (!existsSync(path)) throw damagedStore(folder, `${name} is not there`);
    const { size } = statSync(path);
    const expected = manifest.sizes?.[name as keyof typeof manifest.sizes] ?? size;
    if (size !== expected) throw damagedStore(folder, `${name} has ${size} bytes, ${MANIFEST_FILE} says ${expected}`);
    if (name === TOKENS_FILE) refuseOtherSize(folder, size, manifest);
    if ((await sha256OfFile(path, signal)) !== sha256) throw damagedStore(folder, `${name} is not as it was written`);
  }
}

export function damagedStore(folder: string, what: string): UserError {
  return new UserError({
    what: `the prepared data are damaged: ${what}`,
    where: folder,
    next: 'delete this folder; the data are prepared again',
    code: 'token_cache_damaged',
  });
}

function checksumOf(manifest: StoreManifest): string {
  return createHash('sha256').update(JSON.stringify(manifest)).digest('hex');
}

/** Where in the file the index of the documents begins, and the lists of their numbers. */
function placesOf({ version, tokens, documents }: StoreManifest): { indexAt: number; listAt: number } {
  const indexAt = Math.ceil(tokens / 2) * 8;
  return { indexAt, listAt: indexAt + documents * (version === 1 ? 24 : 28) };
}

function refuseOtherSize(folder: string, size: number, manifest: StoreManifest): void {
  const expected = placesOf(manifest).listAt + 4 * (manifest.train + manifest.validation);
  if (size !== expected)
    throw damagedStore(folder, `${TOKENS_FILE} has ${size} bytes, ${MANIFEST_FILE} speaks of ${expected}`);
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
  };
  const list =
    name === 'train' ? uint32(listAt, manifest.train) : uint32(listAt + 4 * manifest.train, manifest.validation);
  if (!pointsInside(all, list, manifest)) {
    file.close();
    throw damagedStore(folder, `the index in ${TOKENS_FILE} points outside of it`);
  }
  const at = (numbers: Uint32Array | Float64Array, document: number): number => {
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
    close: () => file.close(),
  };
}

/** Whether every document of the list lies within the tokens and comes from a file that the manifest names. */
function pointsInside(
  { starts, lengths, targetCounts, files, sides }: DocumentIndex,
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
      (sides[document] as number) < SIDES.length
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
    close: () => undefined,
  };
}
