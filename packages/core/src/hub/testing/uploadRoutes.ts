import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';

interface Repository {
  isPrivate: boolean;
  commit: string;
  files: Map<string, Buffer>;
}

/** Of an LFS file a repository has the hash, and the store the content. */
const lfsBytes = 1000;
/** Larger files come in parts. */
const partBytes = 100_000;

/** The routes of the Hugging Face Hub that a push uses, and faults to order. */
export class UploadRoutes {
  readonly repositories = new Map<string, Repository>();
  /** LFS objects by SHA-256. */
  readonly store = new Map<string, Buffer>();
  /** Every PUT: its address, bytes, and token. */
  readonly puts: { url: string; bytes: number; authorization: string | undefined }[] = [];
  role: 'read' | 'write' = 'write';
  token = 'hf_writes0123456789';
  /** So many of the next PUTs break off, or are answered with 500. */
  broken = 0;
  failing = 0;
  /** Answers the next batch of LFS files with HTTP 403. */
  isFull = false;
  /** Refuses these files, by SHA-256, in an answer for many. */
  readonly refused = new Set<string>();
  /** Called before a file, or a part of one, is read. */
  onPut: (put: { count: number; url: string }) => void | Promise<void> = () => undefined;
  readonly #parts = new Map<string, Map<number, Buffer>>();

  repository(name: string, isPrivate: boolean, files: Record<string, string> = {}): Repository {
    const contents = Object.entries({ '.gitattributes': '*', ...files });
    const made = {
      isPrivate,
      commit: '1'.repeat(40),
      files: new Map(contents.map(([path, text]) => [path, Buffer.from(text)])),
    };
    this.repositories.set(name, made);
    return made;
  }

  /** Answers a request that is one of a push; false where it is none. */
  async answer(url: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const { pathname, searchParams } = new URL(url);
    const path = decodeURIComponent(pathname);
    if (path.startsWith('/store/')) {
      await this.#stored(path.slice('/store/'.length), searchParams, request, response);
      return true;
    }
    const isKnown = request.headers.authorization === `Bearer ${this.token}`;
    const say = (status: number, body: unknown) => {
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
      return true;
    };
    if (path === '/api/whoami-v2') {
      if (!isKnown) return say(401, { error: 'Invalid credentials in Authorization header' });
      return say(200, { type: 'user', name: 'you', auth: { accessToken: { role: this.role } } });
    }
    if (path === '/api/repos/create') {
      const { name, organization, visibility } = (await json(request)) as Record<string, string>;
      if (organization !== 'you') return say(403, { error: 'You have no rights to create a model there' });
      this.repository(`${organization}/${name}`, visibility === 'private');
      return say(200, { url: '', id: '' });
    }
    const [, name = '', rest = ''] =
      /^(?:\/api\/models)?\/([^/]+\/[^/]+?)(?:\.git)?(?:\/(revision|tree|preupload|commit|info)(?:\/.*)?)$/.exec(
        path,
      ) ?? [];
    const repository = this.repositories.get(name);
    if (!rest || (!repository && !name.startsWith('you/'))) return false;
    if (!repository) return say(404, { error: 'Repository not found' });
    if (rest === 'revision') {
      return say(200, { _id: '1', id: name, sha: repository.commit, private: repository.isPrivate });
    }
    if (rest === 'tree') return say(200, [...repository.files].map(entry));
    if (rest === 'preupload') {
      const { files } = (await json(request)) as { files: { path: string; size: number }[] };
      const modes = files.map(({ path: file, size }) => ({
        path: file,
        uploadMode: size >= lfsBytes ? 'lfs' : 'regular',
      }));
      return say(200, { files: modes });
    }
    if (rest === 'info') {
      if (this.isFull) return say(403, { error: 'Private repository storage limit reached, please upgrade your plan' });
      const { objects } = (await json(request)) as { objects: { oid: string; size: number }[] };
      return say(200, { transfer: 'multipart', objects: objects.map((one) => this.#order(new URL(url).origin, one)) });
    }
    return this.#commit(repository, await json(request, 'lines'), say);
  }

  #order(origin: string, { oid, size }: { oid: string; size: number }) {
    if (this.store.has(oid)) return { oid, size };
    if (this.refused.has(oid)) return { oid, size, error: { code: 413, message: 'the file is too large' } };
    const href = `${origin}/store/${oid}?signature=abc`;
    if (size <= partBytes) return { oid, size, actions: { upload: { href } } };
    const parts = Array.from({ length: Math.ceil(size / partBytes) }, (_, i) => String(i + 1).padStart(5, '0'));
    const header = Object.fromEntries(parts.map((part) => [part, `${href}&part=${Number(part)}`]));
    return { oid, size, actions: { upload: { href, header: { ...header, chunk_size: String(partBytes) } } } };
  }

  async #stored(
    oid: string,
    query: URLSearchParams,
    request: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    if (request.method === 'POST') {
      const parts = [...(this.#parts.get(oid) ?? [])].sort(([a], [b]) => a - b).map(([, part]) => part);
      this.#keep(oid, Buffer.concat(parts), response);
      return;
    }
    this.puts.push({ url: request.url ?? '', bytes: 0, authorization: request.headers.authorization });
    await this.onPut({ count: this.puts.length, url: request.url ?? '' });
    if (this.broken > 0) {
      this.broken--;
      request.destroy();
      return;
    }
    const body = await buffer(request);
    Object.assign(this.puts.at(-1) as object, { bytes: body.length });
    if (request.headers['content-length'] !== String(body.length)) return void response.writeHead(411).end();
    if (this.failing > 0) {
      this.failing--;
      return void response.writeHead(500).end();
    }
    const part = query.get('part');
    if (part === null) return this.#keep(oid, body, response);
    const parts = this.#parts.get(oid) ?? new Map<number, Buffer>();
    this.#parts.set(oid, parts.set(Number(part), body));
    response.writeHead(200, { etag: `"${part}"` }).end();
  }

  #keep(oid: string, content: Buffer, response: ServerResponse): void {
    if (hash('sha256', content) !== oid) return void response.writeHead(400).end('its hash is another one');
    this.store.set(oid, content);
    response.writeHead(200).end();
  }

  #commit(repository: Repository, lines: unknown, say: (status: number, body: unknown) => boolean): boolean {
    const [header, ...operations] = lines as { key: string; value: Record<string, string> }[];
    if (header?.value['parentCommit'] !== repository.commit) return say(412, { error: 'A commit has happened since' });
    for (const { key, value } of operations) {
      const content =
        key === 'file' ? Buffer.from(value['content'] ?? '', 'base64') : this.store.get(value['oid'] ?? '');
      if (!content) return say(400, { error: `LFS object ${value['oid']} is not there` });
      repository.files.set(value['path'] ?? '', content);
    }
    repository.commit = hash('sha1', Buffer.from(repository.commit + JSON.stringify(operations)));
    return say(200, { commitOid: repository.commit, commitUrl: '', success: true });
  }
}

function entry([path, content]: [string, Buffer]) {
  const isLfs = content.length >= lfsBytes;
  return {
    type: 'file',
    path,
    size: content.length,
    oid: hash('sha1', Buffer.concat([Buffer.from(`blob ${content.length}\0`), content])),
    ...(isLfs && { lfs: { oid: hash('sha256', content), size: content.length, pointerSize: 130 } }),
  };
}

function hash(algorithm: string, content: Buffer): string {
  return createHash(algorithm).update(content).digest('hex');
}

async function json(request: IncomingMessage, form?: 'lines'): Promise<unknown> {
  const text = (await buffer(request)).toString();
  return form ? text.split('\n').map((line) => JSON.parse(line)) : JSON.parse(text);
}
