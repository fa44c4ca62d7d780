import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { UploadRoutes } from './uploadRoutes.ts';

/** A local server with the routes of the Hugging Face Hub and of ModelScope that a pull and a push use, and faults to order. */
export interface HubStandIn {
  readonly url: string;
  readonly files: Map<string, Uint8Array>;
  /** Further revisions of a data set by their names; one called `main` is where that branch went. */
  readonly revisions: Map<string, { commit: string; files: Map<string, Uint8Array> }>;
  /** Requests for file contents: path and Range header. */
  readonly transfers: { path: string; range: string | undefined; authorization: string | undefined }[];
  /** Bytes after which the next transfers of a file break off, one number each. */
  readonly breakAfter: Map<string, number[]>;
  /** Where on the disk the client collects a file: its transfers break off when all that was sent is there. */
  readonly collectedIn: Map<string, string>;
  /** Announces this SHA-256 instead of the true one. */
  readonly announcedSha256: Map<string, string>;
  /** Answers requests whose address contains the key in its place. */
  readonly answers: Map<string, (response: ServerResponse, request: IncomingMessage) => void>;
  /** What pushes have left, and faults of theirs. */
  readonly uploads: UploadRoutes;
  /** Every request: its address and token. */
  readonly requests: { url: string; authorization: string | undefined }[];
  close(): Promise<void>;
}

export const COMMIT = '0123456789abcdef0123456789abcdef01234567';
const LFS_BYTES = 1000;

export async function startHub(
  id: string,
  contents: Record<string, Uint8Array | string>,
  options: { gated?: boolean } = {},
): Promise<HubStandIn> {
  const files = new Map(Object.entries(contents).map(([path, bytes]) => [path, Buffer.from(bytes)]));
  const hub = {
    files,
    revisions: new Map(),
    transfers: [],
    breakAfter: new Map(),
    collectedIn: new Map(),
    announcedSha256: new Map(),
    answers: new Map(),
    uploads: new UploadRoutes(),
    requests: [],
  } as unknown as HubStandIn;
  const server = createServer((request, response) => {
    const { url: address = '', headers } = request;
    hub.requests.push({ url: address, authorization: headers.authorization });
    for (const [key, answer] of hub.answers) if (address.includes(key)) return answer(response, request);
    if (options.gated && !request.headers.authorization) return send(response, 401, { error: 'restricted' });
    const answered = hub.uploads.answer(`${hub.url}${address}`, request, response);
    const routed = answered.then((isAnswered) => (isAnswered ? undefined : route(hub, id, request, response)));
    routed.catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return Object.assign(hub, { url, close });
}

async function route(hub: HubStandIn, id: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://hub');
  const path = decodeURIComponent(url.pathname);
  if (path === `/api/models/${id}/revision/main`) return send(response, 200, { _id: '1', id, sha: COMMIT });
  const tree = `/api/models/${id}/tree/${COMMIT}`;
  if (path === tree || path.startsWith(`${tree}/`)) {
    const { files, folders } = entriesOf(hub, path.slice(tree.length + 1));
    const directories = folders.map((name) => ({ type: 'directory', path: name, size: 0, oid: '0'.repeat(40) }));
    return send(response, 200, [...directories, ...files.map(info(hub))]);
  }
  if (path === `/api/models/${id}/paths-info/${COMMIT}`) {
    const { paths } = JSON.parse(await text(request)) as { paths: string[] };
    return send(response, 200, paths.map(info(hub)));
  }
  if (path.startsWith(`/${id}/resolve/${COMMIT}/`)) {
    return sendFile(hub, path.slice(`/${id}/resolve/${COMMIT}/`.length), request, response);
  }
  if (path === `/api/v1/models/${id}/repo/files`) {
    const { files, folders } = entriesOf(hub, url.searchParams.get('Root') ?? '');
    const blobs = files.map((name) => ({
      Path: name,
      Type: 'blob',
      Size: hub.files.get(name)?.length ?? 0,
      Sha256: hub.announcedSha256.get(name) ?? sha256(hub.files.get(name)),
    }));
    const trees = folders.map((name) => ({ Path: name, Type: 'tree', Size: 0, Sha256: '' }));
    return send(response, 200, { Code: 200, Data: { Files: [...trees, ...blobs] } });
  }
  if (path === `/api/v1/models/${id}/repo`) {
    return sendFile(hub, url.searchParams.get('FilePath') ?? '', request, response);
  }
  if (await routeDataset(hub, id, { url, path, request, response })) return;
  send(response, 404, { error: 'Repository not found' });
}

/** Of a data set: its list is whole, in pages. */
async function routeDataset(
  hub: HubStandIn,
  id: string,
  { url, path, request, response }: { url: URL; path: string; request: IncomingMessage; response: ServerResponse },
): Promise<boolean> {
  const repo = `/api/v1/datasets/${id}/repo`;
  const isModelScope = path === repo || path === `${repo}/tree`;
  // A revision with a slash is one part of the address.
  const [, ask, revision = '', file = ''] =
    /^\/(?:api\/)?datasets\/[^/]+\/[^/]+\/(revision|tree|resolve)\/([^/]+)\/?(.*)$/.exec(url.pathname) ?? [];
  if (!isModelScope && !path.includes(`datasets/${id}/`)) return false;
  const found = revisionOf(hub, isModelScope ? url.searchParams.get('Revision') : decodeURIComponent(revision));
  if (!found) return false;
  const { commit, files } = found;
  if (path === `${repo}/tree`) {
    const [page, size] = ['PageNumber', 'PageSize'].map((name) => Number(url.searchParams.get(name))) as [
      number,
      number,
    ];
    const entries = [...files].map(([name, bytes]) => ({
      Path: name,
      Type: 'blob',
      Size: bytes.length,
      Sha256: hub.announcedSha256.get(name) ?? sha256(bytes),
    }));
    send(response, 200, { Code: 200, Data: { Files: entries.slice((page - 1) * size, page * size) } });
  } else if (isModelScope) await sendFile(hub, url.searchParams.get('FilePath') ?? '', request, response, files);
  else if (ask === 'revision') send(response, 200, { _id: '1', id, sha: commit, tags: ['license:mit'] });
  else if (ask === 'tree') send(response, 200, [...files.keys()].map(info(hub, files)));
  else await sendFile(hub, decodeURIComponent(file), request, response, files);
  return true;
}

function revisionOf(hub: HubStandIn, name: string | null): { commit: string; files: Map<string, Uint8Array> } | null {
  const first = { commit: COMMIT, files: hub.files };
  const named = hub.revisions.get(name === 'master' ? 'main' : (name ?? ''));
  if (named) return named;
  if (['main', 'master', COMMIT].includes(name ?? '')) return first;
  return [...hub.revisions.values()].find(({ commit }) => commit === name) ?? null;
}

/** What a folder of the repository holds directly, as both hubs list it; names that climb stay as they are. */
function entriesOf(hub: HubStandIn, folder: string): { files: string[]; folders: string[] } {
  const prefix = folder ? `${folder}/` : '';
  const below = [...hub.files.keys()].filter((path) => path.startsWith(prefix));
  const child = (path: string): string | undefined => /^(\w+)\//.exec(path.slice(prefix.length))?.[1];
  const folders = new Set(below.flatMap((path) => child(path) ?? []));
  return { files: below.filter((path) => !child(path)), folders: [...folders].map((name) => prefix + name) };
}

function info(hub: HubStandIn, contents = hub.files) {
  return (path: string) => {
    const bytes = contents.get(path) ?? new Uint8Array();
    const gitBlob = createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex');
    const oid = hub.announcedSha256.get(path) ?? sha256(bytes);
    const isLfs = bytes.length >= LFS_BYTES;
    return {
      type: 'file',
      path,
      size: bytes.length,
      oid: isLfs ? '0'.repeat(40) : gitBlob,
      ...(isLfs ? { lfs: { oid, size: bytes.length, pointerSize: 130 } } : {}),
    };
  };
}

async function sendFile(
  hub: HubStandIn,
  path: string,
  request: IncomingMessage,
  response: ServerResponse,
  contents = hub.files,
): Promise<void> {
  const { range, authorization } = request.headers;
  hub.transfers.push({ path, range, authorization });
  const bytes = contents.get(path);
  if (!bytes) return send(response, 404, { error: 'Entry not found' });
  const etag = `"${sha256(bytes)}"`;
  const ifRange = request.headers['if-range'];
  const start = range && (ifRange === undefined || ifRange === etag) ? Number(/bytes=(\d+)-/.exec(range)?.[1]) : 0;
  response.writeHead(start > 0 ? 206 : 200, {
    etag,
    'content-length': bytes.length - start,
    ...(start > 0 ? { 'content-range': `bytes ${start}-${bytes.length - 1}/${bytes.length}` } : {}),
  });
  const limit = hub.breakAfter.get(path)?.shift();
  if (limit === undefined) return void response.end(bytes.subarray(start));
  response.write(bytes.subarray(start, start + limit));
  await delay(20);
  const collected = hub.collectedIn.get(path);
  if (collected) while (!response.destroyed && sizeOf(collected) < start + limit) await delay(5);
  response.destroy();
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function send(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function text(request: IncomingMessage): Promise<string> {
  let all = '';
  for await (const chunk of request) all += String(chunk);
  return all;
}

export function sha256(bytes: Uint8Array | undefined): string {
  return createHash('sha256')
    .update(bytes ?? new Uint8Array())
    .digest('hex');
}
