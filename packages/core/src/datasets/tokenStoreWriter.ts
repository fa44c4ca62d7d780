import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AtomicFile } from '@anneal/formats/files/atomicWrite';
import { TOKENS_FILE } from './storeManifest.ts';
import { type Encoded, SIDES } from './types.ts';

/**
 * Streams documents into `tokens.bin`: all words, padded to 8 bytes; then per document its start (float64), length, number of
 * target tokens, file, row and side (uint32 each), and where rows have margins, these (float32); then the documents of the training and of the validation set (uint32). Little-endian.
 */
export class TokenStoreWriter {
  readonly #file: AtomicFile;
  readonly #starts: number[] = [];
  readonly #lengths: number[] = [];
  readonly #targetCounts: number[] = [];
  readonly #files: number[] = [];
  readonly #rows: number[] = [];
  readonly #sides: number[] = [];
  readonly #margins: number[] = [];
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

  /** Of the layout: what has no margins is as it was before there were any. */
  get version(): number {
    return this.#margins.some((margin) => margin !== 0) ? 3 : 2;
  }

  /** @returns the number of the document. */
  async append(
    words: Uint32Array,
    targetCount: number,
    file: number,
    row: number,
    { side = 'none', margin = 0 }: Pick<Encoded, 'side' | 'margin'> = {},
  ): Promise<number> {
    const document = this.#starts.length;
    this.#starts.push(this.#tokens);
    this.#lengths.push(words.length);
    this.#targetCounts.push(targetCount);
    this.#files.push(file);
    this.#rows.push(row);
    this.#sides.push(SIDES.indexOf(side));
    this.#margins.push(margin);
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
    if (this.version === 3) this.#push(Float32Array.from(this.#margins));
    this.#push(train);
    this.#push(validation);
    await this.#flush();
    await this.#file.commit();
    return { sha256: this.#hash.digest('hex') };
  }

  async abort(): Promise<void> {
    await this.#file.abort();
  }

  #push(values: Uint32Array | Float32Array | Float64Array): void {
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
