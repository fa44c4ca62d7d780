import { isUtf8 } from 'node:buffer';
import type { RandomAccessFile } from '../files/randomAccess.ts';
import { LIMITS } from '../limits.ts';
import { invalidGguf } from './errors.ts';

const WINDOW_BYTES = 1 << 20;

/** Reads a GGUF header front to back through a small window, never past the end of the file or the header cap. */
export class Cursor {
  readonly #file: RandomAccessFile;
  #window = Buffer.alloc(0);
  #windowStart = 0;
  #position = 0;

  constructor(file: RandomAccessFile) {
    this.#file = file;
  }

  get position(): number {
    return this.#position;
  }

  /** Throws unless `count` things of at least `bytes` each can still follow: a cheap bound before allocating for them. */
  expect(count: number, bytes: number, what: string): void {
    const left = Math.min(this.#file.size, LIMITS.ggufHeaderBytes) - this.#position;
    if (count * bytes <= left) return;
    throw invalidGguf(`${what} needs at least ${count * bytes} bytes, but only ${left} are left`, this.#file.path);
  }

  /** The next `length` bytes, valid until the next call. */
  take(length: number, what: string): Buffer {
    this.expect(length, 1, what);
    if (this.#position + length > this.#windowStart + this.#window.length) {
      const size = Math.min(Math.max(length, WINDOW_BYTES), this.#file.size - this.#position);
      this.#window = Buffer.from(this.#file.read(this.#position, size).buffer);
      this.#windowStart = this.#position;
    }
    const from = this.#position - this.#windowStart;
    this.#position += length;
    return this.#window.subarray(from, from + length);
  }

  uint32(what: string): number {
    return this.take(4, what).readUInt32LE();
  }

  /** A 64-bit count or size that must not exceed `limit`. */
  size(what: string, limit: number): number {
    const value = this.take(8, what).readBigUInt64LE();
    if (value > BigInt(limit)) throw invalidGguf(`${what} is ${value}, more than ${limit}`, this.#file.path);
    return Number(value);
  }

  string(what: string, limit: number): string {
    const bytes = this.take(this.size(`length of ${what}`, limit), what);
    if (!isUtf8(bytes)) throw invalidGguf(`${what} is not valid UTF-8`, this.#file.path);
    return bytes.toString('utf8');
  }
}
