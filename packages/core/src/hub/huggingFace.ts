import { listFiles, modelInfo, type PathInfo, pathsInfo } from '@huggingface/hub';
import { boundedFetch, type Patience } from './boundedFetch.ts';
import type { RemoteFile } from './download.ts';
import { selectFiles, TEMPLATE_FOLDER } from './selectFiles.ts';
import { asSourceError, SourceError } from './sourceError.ts';

/** A repository at one commit: what to fetch and from where. */
export interface RemoteRepository {
  readonly revision: string;
  readonly license?: string | undefined;
  readonly files: readonly RemoteFile[];
}

export interface RepositoryRequest {
  id: string;
  hubUrl: string;
  revision: string | undefined;
  signal: AbortSignal | undefined;
  patience: Patience;
}

export interface HubRequest extends RepositoryRequest {
  /** One file of the repository instead of the whole model. */
  file: string | undefined;
}

export const HUGGING_FACE_URL = 'https://huggingface.co';

/**
 * Lists a repository of the Hugging Face Hub, or of a mirror of it at `hubUrl`, with sizes and checksums.
 * The files' addresses name the commit, so that they cannot change during the download.
 * Throws a SourceError, or a UserError when the repository holds nothing that can be read.
 */
export async function huggingFaceModel(request: HubRequest & { token: string | undefined }): Promise<RemoteRepository> {
  const { id, hubUrl, token, signal, patience } = request;
  const client = { hubUrl, ...(token ? { accessToken: token } : {}), fetch: boundedFetch(hubUrl, signal, patience) };
  const repo = { type: 'model', name: id } as const;
  const headers = token ? { Authorization: `Bearer ${token}` } : {};

  let commit: string;
  let license: string | undefined;
  let listed: string[] = [];
  try {
    const info = await modelInfo({
      ...client,
      name: id,
      revision: request.revision ?? 'main',
      additionalFields: ['sha', 'tags'],
    });
    commit = checkedCommit(info.sha);
    license = licenseIn(info.tags);
    let templates = false;
    for await (const { type, path } of listFiles({ ...client, repo, revision: commit })) {
      if (type === 'file') listed.push(path);
      else templates ||= path === TEMPLATE_FOLDER;
    }
    if (templates) {
      const inside = listFiles({ ...client, repo, revision: commit, path: TEMPLATE_FOLDER });
      for await (const { type, path } of inside) if (type === 'file') listed.push(path);
    }
  } catch (error) {
    throw asSourceError(error, signal);
  }
  if (listed.length === 0) throw new SourceError('its list of files is empty');
  listed = selectFiles(id, listed, request.file);
  try {
    const infos = await pathsInfo({ ...client, repo, revision: commit, paths: listed });
    return {
      revision: commit,
      license,
      files: remoteFiles(listed, infos, `${hubUrl}/${id}/resolve/${commit}`, headers),
    };
  } catch (error) {
    throw asSourceError(error, signal);
  }
}

/** As lists of a hub have it. */
export type ListedFile = Pick<PathInfo, 'path' | 'size' | 'oid' | 'lfs'>;

/** @throws SourceError */
export function checkedCommit(commit: unknown): string {
  if (/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(String(commit))) return String(commit);
  throw new SourceError('its answer names no commit');
}

/**
 * Only what was asked for: the answer could name other paths, or leave some out.
 * @param address of the files' folder at one commit, so that they cannot change during the download
 * @throws SourceError
 */
export function remoteFiles(
  paths: readonly string[],
  infos: readonly ListedFile[],
  address: string,
  headers: Readonly<Record<string, string>>,
): RemoteFile[] {
  const byPath = new Map(infos.map((info) => [info.path, info]));
  return paths.map((path) => {
    const info = byPath.get(path);
    const bytes = info?.lfs?.size ?? info?.size;
    if (!info || !Number.isSafeInteger(bytes) || (bytes as number) < 0) {
      throw new SourceError(`its answer says nothing of ${path}`);
    }
    const url = `${address}/${path.split('/').map(encodeURIComponent).join('/')}`;
    return { path, url, headers, bytes: bytes as number, checksum: checksumOf(info) };
  });
}

/** Among the tags of a repository, as `license:apache-2.0`. */
export function licenseIn(tags: unknown): string | undefined {
  const found = Array.isArray(tags) ? tags.find((tag) => /^license:[\w.+-]{1,60}$/.test(String(tag))) : undefined;
  return found === undefined ? undefined : String(found).slice('license:'.length);
}

function checksumOf({ path, lfs, oid }: ListedFile): RemoteFile['checksum'] {
  const checksum = lfs
    ? ({ algorithm: 'sha256', hex: lfs.oid, digits: 64 } as const)
    : ({ algorithm: 'git_blob', hex: oid, digits: 40 } as const);
  const { algorithm, hex, digits } = checksum;
  if (new RegExp(`^[0-9a-f]{${digits}}$`).test(hex ?? '')) return { algorithm, hex: hex as string };
  throw new SourceError(`its answer has no checksum of ${path}`);
}
