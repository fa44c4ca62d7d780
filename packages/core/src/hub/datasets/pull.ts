import { dirname } from 'node:path';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { UserError } from '../../errors.ts';
import { PATIENCE } from '../boundedFetch.ts';
import { defaultCacheDirectory } from '../cache.ts';
import { type Fetched, fetchFiles, fetchFromFirst } from '../fetchFiles.ts';
import { withLock } from '../lock.ts';
import { isOffline, type PullOptions } from '../pull.ts';
import { badRevision, notInCache } from '../pullErrors.ts';
import { hubUrl, sourceLabel } from '../sources.ts';
import { datasetFolder, findPulled, isDatasetId, type PulledDataset, readPulled } from './cache.ts';
import { huggingFaceDataset } from './huggingFaceDataset.ts';
import { modelScopeDataset } from './modelScopeDataset.ts';
import type { DatasetSelection } from './select.ts';

/**
 * Fetches the files of one split of a data set into the cache, from the first hub that has it. What is there already is returned
 * without asking the network; a pull that was broken off goes on where it stopped.
 * @throws UserError that lists every hub and why it failed, or what of the selection has to be said
 */
export async function pullDataset(
  id: string,
  selection: DatasetSelection,
  options: Omit<PullOptions, 'revision' | 'pip'> = {},
): Promise<PulledDataset> {
  const { revision } = selection;
  if (!isDatasetId(id)) throw unknownDataset(id);
  if (revision !== null && !/^[^\p{C}\p{Z}]{1,100}$/u.test(revision)) throw badRevision(revision);
  const cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
  const here = findPulled(id, selection, cacheDirectory);
  if (here) return here;
  const origins = [{ kind: 'hugging_face', id } as const, { kind: 'model_scope', id } as const];
  if (options.offline ?? isOffline()) {
    throw notInCache(
      id,
      cacheDirectory,
      origins.map((origin) => sourceLabel(origin, options)),
    );
  }
  const folder = datasetFolder(cacheDirectory, id, selection);
  makeFolder(dirname(folder), 'make it writable, or point ANNEAL_CACHE to another folder');
  const onWait = () => options.onProgress?.({ phase: 'waiting', source: '' });
  return await withLock(`${folder}.lock`, { signal: options.signal, onWait }, async () => {
    const meanwhile = readPulled(folder);
    if (meanwhile) return meanwhile;
    const sources = origins.map((origin) => {
      const label = sourceLabel(origin, options);
      const fetch = async (partial: string): Promise<Fetched & { selection: DatasetSelection }> => {
        const request = {
          id,
          hubUrl: hubUrl(origin.kind, options),
          revision: revision ?? undefined,
          signal: options.signal,
          patience: options.patience ?? PATIENCE,
        };
        const token = options.token ?? process.env.HF_TOKEN;
        const repository =
          origin.kind === 'hugging_face'
            ? await huggingFaceDataset({ ...request, token }, selection)
            : await modelScopeDataset(request, selection);
        return { ...(await fetchFiles(repository, label, partial, options)), selection };
      };
      return { kind: origin.kind, label, fetch };
    });
    await fetchFromFirst({ id, kind: 'data set' }, sources, folder, options);
    const pulled = readPulled(folder);
    if (!pulled) throw new Error(`the pull of ${id} left no data set in ${folder}`);
    return pulled;
  });
}

function unknownDataset(id: string): UserError {
  return new UserError({
    what: `'${id}' is no name of a data set`,
    where: id,
    next: 'give owner/name, as the address of its page at the hub ends',
    code: 'unknown_dataset_name',
  });
}
