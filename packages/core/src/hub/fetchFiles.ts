/** What pulls of models and of data sets share: each source in turn, a few files at a time, everything beside its place until it is whole. */
import { readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { diskFull } from '@anneal/formats/files/diskFull';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { PATIENCE, type Patience } from './boundedFetch.ts';
import { type Provenance, provenanceFile } from './cache.ts';
import { requireSpace } from './diskSpace.ts';
import { bytesOnDisk, downloadFile, placesOf, type RemoteFile } from './download.ts';
import type { RemoteRepository } from './huggingFace.ts';
import { everySourceFailed, tooLittleSpace } from './pullErrors.ts';
import { PROVENANCE_FILE } from './selectFiles.ts';
import { SourceError } from './sourceError.ts';

const PARALLEL_DOWNLOADS = 4;
const SMALL_FILE_BYTES = 200_000;

export interface PullProgress {
  readonly phase: 'waiting' | 'asking' | 'downloading' | 'failed';
  /** For instance `Hugging Face Hub (huggingface.co)`; empty while waiting for another pull of the same. */
  readonly source: string;
  readonly file?: string;
  readonly receivedBytes?: number;
  readonly totalBytes?: number;
  /** Why a source failed; the next one is tried. */
  readonly reason?: string;
}

export type Fetched = Pick<Provenance, 'revision' | 'license' | 'files'>;

export interface FetchOptions {
  onProgress?: ((progress: PullProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  patience?: Patience | undefined;
}

/** One place that may have what is asked for. */
export interface Source<Found extends Fetched> {
  /** Distinguishes what has arrived from here. */
  readonly kind: string;
  /** For people. */
  readonly label: string;
  /** Fills the folder. @throws SourceError where the next source may do better */
  fetch(partial: string): Promise<Found>;
}

/** Fills `<folder>.partial`, which a later pull continues, and renames it to `folder` once everything is verified. */
export async function fetchFromFirst<Found extends Fetched>(
  what: { id: string; kind: 'model' | 'data set' },
  sources: readonly Source<Found>[],
  folder: string,
  { onProgress }: FetchOptions,
): Promise<void> {
  const failures: string[] = [];
  for (const { kind, label: source, fetch } of sources) {
    const partial = `${folder}.partial-${kind}`;
    onProgress?.({ phase: 'asking', source });
    try {
      makeFolder(partial);
      const provenance = { id: what.id, source, ...(await fetch(partial)) };
      await writeFile(provenanceFile(partial), `${JSON.stringify(provenance, null, 2)}\n`);
      await keepOnly(partial, provenance);
      await rm(folder, { recursive: true, force: true });
      await rename(partial, folder);
      for (const other of sources) await rm(`${folder}.partial-${other.kind}`, { recursive: true, force: true });
      return;
    } catch (error) {
      const full = diskFull(error);
      if (full) throw tooLittleSpace(partial, full, error);
      if (!(error instanceof SourceError)) throw error;
      failures.push(`${source}: ${error.message}`);
      onProgress?.({ phase: 'failed', source, reason: error.message });
      if ((await readdir(partial)).length === 0) await rmdir(partial);
    }
  }
  throw everySourceFailed(what, folder, failures);
}

/** Clears what a broken earlier pull of another commit may have left. */
async function keepOnly(partial: string, provenance: Provenance): Promise<void> {
  const kept = [provenanceFile(partial), ...provenance.files.map(({ path }) => join(partial, path))];
  for (const name of await readdir(partial, { recursive: true })) {
    const path = join(partial, name);
    const isKept = kept.some((file) => file === path || file.startsWith(path + sep));
    if (!isKept) await rm(path, { recursive: true, force: true });
  }
}

/** Every file of it, verified, into `partial`. */
export async function fetchFiles(
  repository: RemoteRepository,
  source: string,
  partial: string,
  options: FetchOptions,
): Promise<Fetched> {
  refuseClashes(repository.files);
  const totalBytes = repository.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const here = repository.files.reduce((sum, file) => sum + bytesOnDisk(file, join(partial, file.path)), 0);
  await requireSpace(partial, totalBytes - here);
  const received = new Map<string, number>();
  const fetchOne = async (file: RemoteFile, signal: AbortSignal): Promise<Provenance['files'][number]> => {
    const onBytes = (bytes: number) => {
      received.set(file.path, bytes);
      const receivedBytes = [...received.values()].reduce((sum, part) => sum + part, 0);
      options.onProgress?.({ phase: 'downloading', source, file: file.path, receivedBytes, totalBytes });
    };
    const { patience = PATIENCE } = options;
    const destination = join(partial, file.path);
    makeFolder(dirname(destination));
    const sha256 = await downloadFile(file, destination, { signal, onBytes, patience });
    onBytes(file.bytes);
    return { path: file.path, sha256 };
  };
  // The small ones first: what is wrong with a model shows in them.
  const small = repository.files.filter(({ bytes }) => bytes < SMALL_FILE_BYTES);
  const large = repository.files.filter(({ bytes }) => bytes >= SMALL_FILE_BYTES);
  const files = [
    ...(await inParallel(small, options.signal, fetchOne)),
    ...(await inParallel(large, options.signal, fetchOne)),
  ];
  return { revision: repository.revision, license: repository.license, files };
}

/** Two files that would lie in one place, or one in the place of a folder of the other. @throws SourceError */
function refuseClashes(files: readonly RemoteFile[]): void {
  const places = new Map([[PROVENANCE_FILE, PROVENANCE_FILE]]);
  for (const { path } of files) for (const place of placesOf(path)) places.set(asOnDisk(place), path);
  for (const { path } of files) {
    const parts = path.split('/');
    const taken = [path, ...parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'))];
    const other = taken.map((place) => places.get(asOnDisk(place))).find((owner) => owner && owner !== path);
    if (other !== undefined) throw new SourceError(`its files ${other} and ${path} cannot lie beside each other`);
  }
}

/** Not every disk tells upper from lower case, and ways to write a letter with its accent, apart. */
const asOnDisk = (path: string): string => (process.platform === 'linux' ? path : path.normalize('NFC').toLowerCase());

/** A few at a time. The first failure stops the others, and is thrown once they have ended. */
async function inParallel<T, R>(
  items: readonly T[],
  outer: AbortSignal | undefined,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const stop = new AbortController();
  const signal = outer ? AbortSignal.any([outer, stop.signal]) : stop.signal;
  const results: R[] = [];
  const queue = items.entries();
  const failures: unknown[] = [];
  const takeTurns = async (): Promise<void> => {
    for (const [i, item] of queue) {
      if (signal.aborted) return;
      try {
        results[i] = await work(item, signal);
      } catch (error) {
        failures.push(error);
        stop.abort(error);
      }
    }
  };
  await Promise.all(Array.from({ length: PARALLEL_DOWNLOADS }, takeTurns));
  if (failures.length > 0) throw failures[0];
  outer?.throwIfAborted();
  return results;
}
