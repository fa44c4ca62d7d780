import { createRepo, HubApiError, listFiles, modelInfo, whoAmI } from '@huggingface/hub';
import { boundedFetch, type Patience } from '../boundedFetch.ts';
import { SourceError } from '../sourceError.ts';
import { readOnlyToken, repositoryPrivate, repositoryPublic } from './pushErrors.ts';

export interface Hub {
  hubUrl: string;
  token: string;
  signal: AbortSignal | undefined;
  patience: Patience;
}

/** A model repository as it is now. */
export interface Repository {
  readonly commit: string;
  readonly isPrivate: boolean;
  /** Path → hash: SHA-256 of a large file, git's blob hash of a small one. */
  readonly files: ReadonlyMap<string, string>;
}

/**
 * The repository, made where there is none.
 * @throws UserError `hub_token_reads_only`, `repository_public`, `repository_private`; HubApiError, SourceError
 */
export async function openRepository(hub: Hub, name: string, isPrivate: boolean): Promise<Repository> {
  await requireWriting(hub);
  const found = await headOf(hub, name);
  if (found && !found.isPrivate && isPrivate) throw repositoryPublic(name);
  if (found?.isPrivate && !isPrivate) throw repositoryPrivate(name);
  if (!found) await createRepo({ ...clientOf(hub), repo: name, visibility: isPrivate ? 'private' : 'public' });
  const head = found ?? (await headOf(hub, name));
  if (!head) throw new SourceError('it made the repository, and does not show it');
  // An answer that leaves it out is no promise.
  if (isPrivate && !head.isPrivate) throw repositoryPublic(name);
  return { ...head, files: await filesAt(hub, name, head.commit) };
}

/** The files of a commit with their hashes. */
export async function filesAt(hub: Hub, name: string, commit: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const repo = { type: 'model', name } as const;
  for await (const entry of listFiles({ ...clientOf(hub), repo, revision: commit, recursive: true })) {
    if (entry.type === 'file') files.set(entry.path, entry.lfs?.oid ?? entry.oid ?? '');
  }
  return files;
}

async function requireWriting(hub: Hub): Promise<void> {
  const { auth } = await whoAmI(clientOf(hub));
  if (auth?.accessToken?.role === 'read') throw readOnlyToken();
}

async function headOf(hub: Hub, name: string): Promise<{ commit: string; isPrivate: boolean } | undefined> {
  try {
    const info = await modelInfo({ ...clientOf(hub), name, revision: 'main', additionalFields: ['sha'] });
    if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(info.sha)) throw new SourceError('its answer names no commit');
    return { commit: info.sha, isPrivate: info.private === true };
  } catch (error) {
    if (error instanceof HubApiError && error.statusCode === 404) return undefined;
    throw error;
  }
}

function clientOf({ hubUrl, token, signal, patience }: Hub) {
  return { hubUrl, accessToken: token, fetch: boundedFetch(hubUrl, signal, patience) };
}
