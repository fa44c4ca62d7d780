import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { endianness } from 'node:os';
import { UserError } from '../errors.ts';
import { refuseSpecialFile } from './regularFile.ts';

/** Linux reads at most 2 GiB − 4 KiB a call; Node refuses 2 GiB and more. */
const LARGEST_READ = 1 << 30;

/** A file read by position. Node has no mmap; positional reads keep nothing in memory that nobody asked for. */
export class RandomAccessFile {
  readonly path: string;
  readonly size: number;
  #descriptor: number | undefined;

  constructor(path: string) {
    if (endianness() !== 'LE') {
      throw new UserError({ what: 'big-endian machines are not supported', where: path, code: 'big_endian_host' });
    }
    this.path = path;
    try {
      refuseSpecialFile(path);
      this.#descriptor = openSync(path, 'r');
    } catch (cause) {
      throw cause instanceof UserError ? cause : openError(path, cause);
    }
    this.size = fstatSync(this.#descriptor).size;
  }

  /** For who reads by position without this class; valid until `close`. */
  get descriptor(): number {
    if (this.#descriptor === undefined) throw new Error(`${this.path} is closed`);
    return this.#descriptor;
  }

  /** A fresh buffer with `length` bytes from `position` on. The caller has checked the range against `size`. */
  read(position: number, length: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(length);
    this.readInto(bytes, position);
    return bytes;
  }

  /** Fills `target` completely. */
  readInto(target: Uint8Array, position: number): void {
    const { descriptor } = this;
    for (let done = 0; done < target.length; ) {
      const count = Math.min(target.length - done, LARGEST_READ);
      const got = readSync(descriptor, target, done, count, position + done);
      if (got === 0) {
        throw new UserError({
          what: `the file ends at byte ${position + done}, before the tensor it should hold`,
          where: this.path,
          next: 'it was changed while open; download or write it again',
          code: 'file_truncated',
        });
      }
      done += got;
    }
  }

  close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** The whole of a small file (configuration, tokenizer, index). */
export function readSmallFile(path: string, maxBytes: number): Uint8Array<ArrayBuffer> {
  const file = new RandomAccessFile(path);
  try {
    refuseLarger(path, file.size, maxBytes);
    return file.read(0, file.size);
  } finally {
    file.close();
  }
}

/** What `readSmallFile` would refuse of a file that is there, before it is needed. */
export function checkSmallFile(path: string, maxBytes: number): void {
  refuseLarger(path, refuseSpecialFile(path)?.size ?? 0, maxBytes);
}

function refuseLarger(path: string, size: number, maxBytes: number): void {
  if (size <= maxBytes) return;
  throw new UserError({
    what: `${size} bytes, more than the ${maxBytes} such a file may have`,
    where: path,
    next: 'check that this is the right file',
    code: 'file_too_large',
  });
}

function openError(path: string, cause: unknown): UserError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'ENOENT' || code === 'ENOTDIR') {
    return new UserError({ what: 'no such file', where: path, next: 'check the path', code: 'file_not_found', cause });
  }
  const next = code === 'EACCES' || code === 'EPERM' ? 'check its permissions' : undefined;
  return new UserError({ what: `cannot be opened (${code})`, where: path, next, code: 'file_not_readable', cause });
}
