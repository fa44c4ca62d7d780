/** A lock is a file that names the process which holds it, so that it can be told when that process is gone, and who it is. */
import { randomUUID } from 'node:crypto';
import { closeSync, constants, fstatSync, linkSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { diskFull } from '@anneal/formats/files/diskFull';
import {
  isAlive,
  type ProcessOwner,
  removeLeftovers,
  temporaryBeside,
  thisProcess,
} from '@anneal/formats/files/processOwner';
import { z } from 'zod';
import { UserError } from './errors.ts';

/** Pid 0 means a group and 1 is the system's own: neither ever took a lock, and nobody may be led to signal them. */
const ownerSchema = z.object({
  pid: z.int().min(2),
  processStart: z.string().min(1),
  host: z.string().min(1),
  boot: z.string(),
});

/** Ours have some 200 bytes. */
const mostBytes = 1 << 16;

export class ProcessLock {
  readonly #path: string;
  readonly #text: string;

  private constructor(path: string, text: string) {
    this.#path = path;
    this.#text = text;
  }

  /**
   * Takes the lock, also from an owner that is gone; undefined when somebody has it. Never waits.
   * @throws UserError `lock_not_usable`, `disk_full`
   */
  static tryAcquire(path: string): ProcessLock | undefined {
    removeLeftovers(path);
    const text = JSON.stringify({ ...thisProcess(), nonce: randomUUID() });
    return createWith(path, text) || takeOver(path, text) ? new ProcessLock(path, text) : undefined;
  }

  /**
   * Takes the lock to remove what it guards. On a full disk no lock can be written, and none is needed: nobody else can write one, either.
   * @throws UserError `lock_not_usable`
   */
  static tryAcquireToRemove(path: string): ProcessLock | undefined {
    try {
      return ProcessLock.tryAcquire(path);
    } catch (error) {
      if (!(error instanceof UserError) || error.code !== 'disk_full') throw error;
      return lockOwner(path) ? undefined : new ProcessLock(path, '');
    }
  }

  release(): void {
    if (readText(this.#path) === this.#text) rmSync(this.#path);
  }
}

/** Who holds the lock: a process that is alive, or one of another host, which cannot be looked at. */
export function lockOwner(path: string): ProcessOwner | undefined {
  const owner = parseOwner(readText(path));
  return owner && isAlive(owner) ? owner : undefined;
}

/** Removing a stale lock and taking it are two operations, so only one process at a time may do it. */
function takeOver(path: string, text: string): boolean {
  const takeover = `${path}.takeover`;
  removeStale(takeover);
  if (!createWith(takeover, text)) return false;
  try {
    return removeStale(path) && createWith(path, text);
  } finally {
    rmSync(takeover, { force: true });
  }
}

/** False where a process that is alive holds the lock. */
function removeStale(path: string): boolean {
  const text = readText(path);
  if (text === undefined) return true;
  const owner = parseOwner(text);
  if (owner && isAlive(owner)) return false;
  // Its owner may have given it back in between, and another have taken it: that one's is another text.
  if (readText(path) !== text) return false;
  rmSync(path, { force: true });
  return true;
}

/** Creates the file with its whole content at once; false when it is there already. */
function createWith(path: string, text: string): boolean {
  const temporary = temporaryBeside(path);
  try {
    writeFileSync(temporary, text, { flag: 'wx' });
    linkSync(temporary, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw notUsable(path, error);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Undefined when there is no lock. One that is a link, a pipe or a folder is none of ours. */
function readText(path: string): string | undefined {
  const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = constants;
  let file: number | undefined;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    if (!fstatSync(file).isFile()) throw Object.assign(new Error('no regular file'), { code: 'EINVAL' });
    const bytes = Buffer.alloc(mostBytes);
    return bytes.toString('utf8', 0, readSync(file, bytes, 0, mostBytes, 0));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw notUsable(path, error);
  } finally {
    if (file !== undefined) closeSync(file);
  }
}

/** Undefined for a missing or damaged lock: no live process leaves a damaged one, it is created whole. */
function parseOwner(text: string | undefined): ProcessOwner | undefined {
  if (text === undefined) return undefined;
  try {
    return ownerSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
}

function notUsable(path: string, cause: unknown): UserError {
  const { code = String(cause) } = cause as NodeJS.ErrnoException;
  const full = diskFull(cause);
  return new UserError({
    what: full ?? `the lock cannot be taken ${code === 'EROFS' ? 'on a read-only disk' : `(${code})`}`,
    where: path,
    next: full
      ? 'free some space and run the same command again'
      : 'make its folder readable and writable, and remove what is there under its name and is no file',
    code: full ? 'disk_full' : 'lock_not_usable',
    cause,
  });
}
