import { listFiles, modelInfo, pathsInfo } from '@huggingface/hub';
import type { RemoteFile } from './download.ts';
import { selectFiles } from './selectFiles.ts';
import { ANSWER_TIMEOUT_MILLISECONDS, asSourceError } from './sourceError.ts';

/** A model repository at one commit: what to fetch and from where. */
export interface RemoteModel {
  readonly revision: string;
  readonly files: readonly RemoteFile[];
}

export interface HubRequest {
  id: string;
  hubUrl: string;
  revision: string | undefined;
  /** One file of the repository instead of the whole model. */
  file: string | undefined;
  signal: AbortSignal | undefined;
}

export const HUGGING_FACE_URL = 'https://huggingface.co';

/**
 * Lists a repository of the Hugging Face Hub, or of a mirror of it at `hubUrl`, with sizes and checksums.
 * The files' addresses name the commit, so that they cannot change during the download.
 * Throws a SourceError, or a UserError when the repository holds nothing that can be read.
 */
export async function huggingFaceModel(request: HubRequest & { token: string | undefined }): Promise<RemoteModel> {
  const { id, hubUrl, token, signal } = request;
  const client = { hubUrl, ...(token ? { accessToken: token } : {}), fetch: fetchWithTimeout(signal) };
  const repo = { type: 'model', name: id } as const;
  const headers = token ? { Authorization: `Bearer ${token}` } : {};

  let commit: string;
  let listed: string[] = [];
  try {
    const info = await modelInfo({
      ...client,
      name: id,
      revision: request.revision ?? 'main',
      additionalFields: ['sha'],
    });
    commit = info.sha;
    for await (const entry of listFiles({ ...client, repo, revision: commit })) {
      if (entry.type === 'file') listed.push(entry.path);
    }
  } catch (error) {
    throw asSourceError(error, signal);
  }
  listed = selectFiles(id, listed, request.file);
  try {
    const infos = await pathsInfo({ ...client, repo, revision: commit, paths: listed });
    const files = infos.map((info) => ({
      path: info.path,
      url: `${hubUrl}/${id}/resolve/${commit}/${encodeURIComponent(info.path)}`,
      headers,
      bytes: info.lfs?.size ?? info.size,
      checksum: checksumOf(info),
    }));
    return { revision: commit, files };
  } catch (error) {
    throw asSourceError(error, signal);
  }
}

function checksumOf({ lfs, oid }: { lfs?: { oid: string }; oid?: string }): RemoteFile['checksum'] {
  if (lfs) return { algorithm: 'sha256', hex: lfs.oid };
  return oid && /^[0-9a-f]{40}$/.test(oid) ? { algorithm: 'git_blob', hex: oid } : undefined;
}

function fetchWithTimeout(signal: AbortSignal | undefined): typeof fetch {
  return (input, init) => {
    const timeout = AbortSignal.timeout(ANSWER_TIMEOUT_MILLISECONDS);
    return fetch(input, { ...init, signal: signal ? AbortSignal.any([signal, timeout]) : timeout });
  };
}
