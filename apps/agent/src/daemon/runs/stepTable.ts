/**
 * What a run measured, step by step, as rows of numbers: the newest in memory, those before them in a file. An agent holds
 * no more of a run than that, however long it is.
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { type Metric, metrics, type StepEvent } from '@anneal/core/protocol/studio';

export type Column = 'step' | 'seconds' | Metric;

/** The numbers with which a row of any run begins, in their order. `seconds`: since the run was created. */
export const columns: readonly Column[] = ['step', 'seconds', ...metrics];

/** Read at once: about half a megabyte. */
const pieceRows = 8192;

/** The place of a column in a row. */
export const placeOf = (column: Column): number => columns.indexOf(column);

export class StepTable {
  readonly #path: string;
  /** Rows that the file has. What it holds after them counts for nothing. */
  #written: number;
  #functions: readonly string[];
  /** CRC-32 of each piece of rows in the file, as far as `#summed` rows. */
  #sums: number[] = [];
  #summed = 0;
  #tail = new Float64Array(0);
  #tailRows = 0;

  /**
   * @param path of a file that nobody else writes
   * @param rows that count among those in it. @param functions the reward functions whose values they have
   */
  constructor(path: string, rows = 0, functions: readonly string[] = []) {
    this.#path = path;
    this.#written = rows;
    this.#functions = functions;
  }

  /** The reward functions of the run, whose values follow the columns in each row. A run keeps those it began with. */
  get functions(): readonly string[] {
    return this.#functions;
  }

  /** Numbers of a row. */
  get width(): number {
    return columns.length + this.#functions.length;
  }

  get length(): number {
    return this.#written + this.#tailRows;
  }

  /** A value that was not finite, or is not said, is NaN. */
  add(event: StepEvent, seconds: number): void {
    if (this.length === 0) {
      this.#functions = Object.keys(event.rewardByFunction ?? {});
      this.#tail = new Float64Array(0);
    }
    const start = this.#tailRows * this.width;
    if (start === this.#tail.length) this.#grow();
    for (const [place, name] of columns.entries()) {
      this.#tail[start + place] = (name === 'seconds' ? seconds : event[name]) ?? Number.NaN;
    }
    for (const [at, name] of this.#functions.entries()) {
      this.#tail[start + columns.length + at] = event.rewardByFunction?.[name] ?? Number.NaN;
    }
    this.#tailRows++;
  }

  /** Forgets the steps after `step`, which a later launch repeats. */
  dropAfter(step: number): void {
    const length = this.indexAfter(step);
    this.#tailRows = Math.max(0, length - this.#written);
    this.#written = Math.min(length, this.#written);
    this.#summed = Math.min(this.#summed, this.#written - (this.#written % pieceRows));
  }

  /** The index of the first row of a step after `step`. */
  indexAfter(step: number): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const [piece] = this.rows(middle, middle + 1);
      if ((piece?.values[placeOf('step')] as number) <= step) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The rows in pieces, one row after the other; a piece is valid until the next one is asked for. */
  *rows(from: number, after = this.length): Generator<{ index: number; values: Float64Array }> {
    const inFile = Math.min(after, this.#written);
    if (from < inFile) {
      const piece = new Float64Array(Math.min(pieceRows, inFile - from) * this.width);
      const file = openSync(this.#path, 'r');
      try {
        for (let index = from; index < inFile; index += pieceRows) {
          const values = piece.subarray(0, Math.min(pieceRows, inFile - index) * this.width);
          const bytes = readSync(file, values, 0, values.byteLength, 8 * index * this.width);
          if (bytes !== values.byteLength) throw new Error(`${this.#path} has lost rows`);
          yield { index, values };
        }
      } finally {
        closeSync(file);
      }
    }
    const start = Math.max(from, this.#written);
    if (start >= after) return;
    const [first, end] = [start - this.#written, after - this.#written].map((row) => row * this.width);
    yield { index: start, values: this.#tail.subarray(first, end) };
  }

  /** A checksum for each piece of the rows in the file, by which a damaged one is noticed. Only new ones are read. */
  checksums(): readonly number[] {
    const from = this.#summed - (this.#summed % pieceRows);
    this.#sums.length = from / pieceRows;
    for (const { values } of this.rows(from, this.#written)) {
      this.#sums.push(crc32(new Uint8Array(values.buffer, values.byteOffset, values.byteLength)));
    }
    this.#summed = this.#written;
    return this.#sums;
  }

  /** Puts every row into the file. */
  flush(): void {
    if (this.#tailRows === 0) return;
    const file = openSync(this.#path, constants.O_WRONLY | constants.O_CREAT, 0o600);
    try {
      const rows = this.#tail.subarray(0, this.#tailRows * this.width);
      const bytes = new Uint8Array(rows.buffer, 0, rows.byteLength);
      for (let done = 0; done < bytes.length; ) {
        done += writeSync(file, bytes, done, bytes.length - done, 8 * this.#written * this.width + done);
      }
    } finally {
      closeSync(file);
    }
    this.#written += this.#tailRows;
    this.#tailRows = 0;
  }

  #grow(): void {
    const larger = new Float64Array(Math.max(64 * this.width, 2 * this.#tail.length));
    larger.set(this.#tail);
    this.#tail = larger;
  }
}
