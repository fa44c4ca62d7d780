import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { basename } from 'node:path';
import { writeAtomically } from '@anneal/formats/files/atomicWrite';
import { UserError } from '../errors.ts';
import { sha256OfFile } from '../fileHash.ts';

export interface FileHash {
  readonly name: string;
  readonly size: number;
  /** Lower-case hex. */
  readonly sha256: string;
}

export interface ModelHash {
  /** Over the names and hashes of the files, in the order of their names. */
  readonly sha256: string;
  readonly files: readonly FileHash[];
  /** Why the cache could not be written; everything else is as if it had been. */
  readonly cacheError?: UserError;
}

/**
 * Identifies the files a model consists of (`OpenModel.files`).
 * @param cachePath a JSON file of hashes known by path, size and times, where those are enough; without it every byte is read
 */
export async function modelHash(paths: readonly string[], cachePath?: string): Promise<ModelHash> {
  const cache = cachePath === undefined ? {} : await readCache(cachePath);
  const files: FileHash[] = [];
  for (const path of paths) {
    const { size, mtimeNs, ctimeNs, ino } = await stat(path, { bigint: true });
    // The time of modification can be set back, that of the last change of the file's state cannot.
    const key = `${path}|${size}|${mtimeNs}|${ctimeNs}|${ino}`;
    cache[key] ??= await sha256OfFile(path);
    files.push({ name: basename(path), size: Number(size), sha256: cache[key] });
  }
  const cacheError = cachePath === undefined ? undefined : await writeCache(cachePath, cache);
  files.sort((a, b) => (a.name < b.name ? -1 : 1));
  const whole = createHash('sha256');
  for (const { name, sha256 } of files) whole.update(`${sha256}  ${name}\n`);
  return { sha256: whole.digest('hex'), files, ...(cacheError && { cacheError }) };
}

/** A cache that is not there or not readable is an empty one: everything is then hashed again. */
async function readCache(path: string): Promise<Record<string, string>> {
  try {
    const entries = Object.entries(JSON.parse(await readFile(path, 'utf8')) as object);
    return Object.fromEntries(
      entries.filter((entry): entry is [string, string] => /^[0-9a-f]{64}$/.test(String(entry[1]))),
    );
  } catch {
    return {};
  }
}

async function writeCache(path: string, cache: Record<string, string>): Promise<UserError | undefined> {
  try {
    await writeAtomically(path, (file) => file.write(Buffer.from(`${JSON.stringify(cache, null, 1)}\n`)));
    return undefined;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return error;
  }
}
