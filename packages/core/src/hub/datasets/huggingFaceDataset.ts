import { datasetInfo, listFiles } from '@huggingface/hub';
import { boundedFetch } from '../boundedFetch.ts';
import {
  checkedCommit,
  type ListedFile,
  licenseIn,
  type RemoteRepository,
  type RepositoryRequest,
  remoteFiles,
} from '../huggingFace.ts';
import { asSourceError, httpError, SourceError } from '../sourceError.ts';
import { type DatasetSelection, selectDataFiles } from './select.ts';

/**
 * The files of a data set on the Hugging Face Hub, or a mirror of it, with sizes and checksums, at one commit.
 * @throws SourceError; UserError where the selection does not fit what is there
 */
export async function huggingFaceDataset(
  request: RepositoryRequest & { token: string | undefined },
  selection: DatasetSelection,
): Promise<RemoteRepository> {
  const { id, hubUrl, token, signal, patience } = request;
  const ask = boundedFetch(hubUrl, signal, patience);
  const client = { hubUrl, ...(token ? { accessToken: token } : {}), fetch: ask };
  const headers = token ? { Authorization: `Bearer ${token}` } : {};
  try {
    const revision = request.revision ?? 'main';
    const info = await datasetInfo({ ...client, name: id, revision, additionalFields: ['sha', 'tags'] });
    const commit = checkedCommit(info.sha);
    const repo = { type: 'dataset', name: id } as const;
    const entries = new Map<string, ListedFile>();
    for await (const entry of listFiles({ ...client, repo, revision: commit, recursive: true })) {
      if (entry.type === 'file') entries.set(entry.path, entry);
    }
    if (entries.size === 0) throw new SourceError('its list of files is empty');
    const address = `${hubUrl}/datasets/${id}/resolve/${commit}`;
    const card = entries.has('README.md') ? await readCard(ask, `${address}/README.md`, headers) : undefined;
    const paths = selectDataFiles(id, [...entries.keys()], card, selection);
    const infos = paths.flatMap((path) => entries.get(path) ?? []);
    return { revision: commit, license: licenseIn(info.tags), files: remoteFiles(paths, infos, address, headers) };
  } catch (error) {
    throw asUserOrSourceError(error, signal);
  }
}

/** What names subsets and splits. It is read with the bounds of a list. */
export async function readCard(ask: typeof fetch, url: string, headers: Record<string, string>): Promise<string> {
  const response = await ask(url, { headers });
  if (!response.ok) throw httpError(response.status);
  return await response.text();
}

/** What no other source could mend stays as it is. */
export function asUserOrSourceError(error: unknown, signal: AbortSignal | undefined): unknown {
  try {
    return asSourceError(error, signal);
  } catch (other) {
    return other;
  }
}
