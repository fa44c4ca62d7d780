import { boundedFetch } from '../boundedFetch.ts';
import type { RemoteRepository, RepositoryRequest } from '../huggingFace.ts';
import { getJson, type ListedFile, listedFiles } from '../modelScopeHub.ts';
import { SourceError } from '../sourceError.ts';
import { asUserOrSourceError, readCard } from './huggingFaceDataset.ts';
import { type DatasetSelection, selectDataFiles } from './select.ts';

/** The most that ModelScope's own client asks for. */
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
  const pageOf = async (page: number): Promise<ListedFile[]> => {
    const paging = { PageNumber: String(page), PageSize: String(PAGE_SIZE) };
    const query = new URLSearchParams({ Revision: revision, Recursive: 'true', ...paging });
    return listedFiles(await getJson(ask, `${api}/tree?${query}`, signal));
  };
  try {
    const entries = await everyPage(pageOf);
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

/**
 * All files by their paths. A page may hold less than was asked for and no total is told, so that only an empty page is the end; a server
 * without one comes to the end of `boundedFetch`.
 * @throws SourceError
 */
async function everyPage(pageOf: (page: number) => Promise<ListedFile[]>): Promise<Map<string, ListedFile>> {
  const entries = new Map<string, ListedFile>();
  for (let page = 1; ; page++) {
    const found = await pageOf(page);
    if (found.length === 0) break;
    const before = entries.size;
    for (const entry of found) entries.set(entry.Path, entry);
    if (entries.size === before) throw new SourceError(`page ${page} of its list of files has nothing new`);
  }
  return new Map([...entries].filter(([, { Type }]) => Type === 'blob'));
}
