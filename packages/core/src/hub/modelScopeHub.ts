import { z } from 'zod';
import { boundedFetch } from './boundedFetch.ts';
import type { HubRequest, RemoteRepository } from './huggingFace.ts';
import { selectFiles, TEMPLATE_FOLDER } from './selectFiles.ts';
import { asSourceError, httpError, SourceError } from './sourceError.ts';

export const MODEL_SCOPE_URL = 'https://www.modelscope.cn';

/** A list of a model's files comes without pages, and is cut here without a word. */
const LONGEST_LIST = 3000;

const listedFileSchema = z.object({
  Path: z.string(),
  Type: z.string(),
  Size: z.number().int().nonnegative(),
  Sha256: z
    .string()
    .regex(/^([0-9a-fA-F]{64})?$/)
    .nullish(),
});
const listingSchema = z.object({
  // A failure may come with HTTP 200.
  Success: z.literal(true).optional(),
  Data: z.object({ Files: z.array(listedFileSchema).nullable() }),
});
/** Of a model or a data set. */
export type ListedFile = z.output<typeof listedFileSchema>;

/** @param answer to a question for a list of files @throws SourceError */
export function listedFiles(answer: unknown): ListedFile[] {
  const { data } = listingSchema.safeParse(answer);
  if (!data) throw new SourceError('its answer is not a list of files');
  return data.Data.Files ?? [];
}

/**
 * Lists a repository of ModelScope with sizes and checksums.
 * Throws a SourceError, or a UserError when the repository holds nothing that can be read.
 */
export async function modelScopeModel(request: HubRequest): Promise<RemoteRepository> {
  const { id, hubUrl, signal, patience } = request;
  const revision = request.revision ?? 'master';
  const api = `${hubUrl}/api/v1/models/${id}/repo`;
  const ask = boundedFetch(hubUrl, signal, patience);
  const list = async (more: Record<string, string>) => {
    const query = new URLSearchParams({ Revision: revision, Recursive: 'false', ...more });
    const files = listedFiles(await getJson(ask, `${api}/files?${query}`, signal));
    if (files.length < LONGEST_LIST) return files;
    throw new SourceError(`its list of files may go on after ${LONGEST_LIST}`);
  };
  const listed = await list({});
  if (listed.length === 0) throw new SourceError('its list of files is empty');
  const hasTemplates = listed.some(({ Type, Path }) => Type === 'tree' && Path === TEMPLATE_FOLDER);
  if (hasTemplates) listed.push(...(await list({ Root: TEMPLATE_FOLDER })));
  const entries = listed.filter(({ Type }) => Type === 'blob');
  const byPath = new Map(entries.map((entry) => [entry.Path, entry]));
  const files = selectFiles(id, [...byPath.keys()], request.file).map((path) => {
    const { Size, Sha256 } = byPath.get(path) ?? { Size: 0, Sha256: undefined };
    const query = new URLSearchParams({ Revision: revision, FilePath: path });
    return {
      path,
      url: `${api}?${query}`,
      bytes: Size,
      checksum: Sha256 ? ({ algorithm: 'sha256', hex: Sha256.toLowerCase() } as const) : undefined,
    };
  });
  return { revision, files };
}

export async function getJson(ask: typeof fetch, url: string, signal: AbortSignal | undefined): Promise<unknown> {
  try {
    const response = await ask(url);
    if (!response.ok) throw httpError(response.status);
    return await response.json();
  } catch (error) {
    throw asSourceError(error, signal);
  }
}
