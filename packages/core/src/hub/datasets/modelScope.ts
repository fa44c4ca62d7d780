import type { z } from 'zod';
import { boundedFetch } from '../boundedFetch.ts';
import type { RemoteRepository, RepositoryRequest } from '../huggingFace.ts';
import { getJson, listingSchema } from '../modelScopeHub.ts';
import { SourceError } from '../sourceError.ts';
import { asUserOrSourceError, readCard } from './huggingFace.ts';
import { type DatasetSelection, selectDataFiles } from './select.ts';

const PAGE_SIZE = 200;

/**
 * The files of a data set on ModelScope. Its branches cannot be pinned by their lists: what changes meanwhile is noticed by the hashes.
 * @throws SourceError; UserError where the selection does not fit what is there
 */
export async function modelScopeDataset(
  request: RepositoryRequest,
  selection: DatasetSelection,
): Promise<RemoteRepository> {
  const { id, hubUrl, signal, patience } = request;
  const revision = request.revision ?? 'master';
  const api = `${hubUrl}/api/v1/datasets/${id}/repo`;
  const ask = boundedFetch(hubUrl, signal, patience);
  const address = (path: string) => `${api}?${new URLSearchParams({ Revision: revision, FilePath: path })}`;
  try {
    const entries = new Map<string, z.output<typeof listingSchema>['Data']['Files'][number]>();
    for (let page = 1; ; page++) {
      const query = new URLSearchParams({
        Revision: revision,
        Recursive: 'true',
        PageNumber: String(page),
        PageSize: String(PAGE_SIZE),
      });
      const parsed = listingSchema.safeParse(await getJson(ask, `${api}/tree?${query}`, signal));
      if (!parsed.success) throw new SourceError('its answer is not a list of files');
      const { Files } = parsed.data.Data;
      for (const entry of Files) if (entry.Type === 'blob') entries.set(entry.Path, entry);
      if (Files.length < PAGE_SIZE) break;
    }
    if (entries.size === 0) throw new SourceError('its list of files is empty');
    const card = entries.has('README.md') ? await readCard(ask, address('README.md'), {}) : undefined;
    const files = selectDataFiles(id, [...entries.keys()], card, selection).map((path) => {
      const { Size: bytes, Sha256: hex } = entries.get(path) ?? { Size: 0, Sha256: undefined };
      const checksum = hex ? ({ algorithm: 'sha256', hex: hex.toLowerCase() } as const) : undefined;
      return { path, url: address(path), bytes, checksum };
    });
    return { revision, files };
  } catch (error) {
    throw asUserOrSourceError(error, signal);
  }
}
