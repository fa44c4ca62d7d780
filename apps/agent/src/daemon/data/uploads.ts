/** Data files that browsers send into the workspace, in parts and resumed where they broke off: the tus protocol. */
import { constants, copyFile, link, lstat, mkdir, open, readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Readable } from 'node:stream';
import { DATA_EXTENSIONS, isDataFile } from '@anneal/core/datasets/dataFiles';
import { UserError } from '@anneal/core/errors';
import { freeDisk } from '@anneal/core/freeDisk';
import { syncFolder } from '@anneal/formats/files/atomicWrite';
import { diskFull } from '@anneal/formats/files/diskFull';
import { FileStore } from '@tus/file-store';
import { Server } from '@tus/server';
import type { Workspace } from '../workspace.ts';

export const uploadsPath = '/api/uploads';

/** On the disk of the workspace, so that what is whole need not be copied. */
export function uploadsFolder(workspace: string): string {
  return join(workspace, '.anneal-uploads');
}

/** Of tus. Without it, or with another one, a request is answered with 412, as the protocol says. */
const protocolVersion = '1.0.0';
/** What stays free on the disk. */
const reservedBytes = 1e9;
const mostUnfinished = 32;
const writtenAtOnce = 1 << 20;
/** An upload that nobody goes on with is removed after a day. */
const patienceMilliseconds = 24 * 3600_000;

type Sent = Parameters<NonNullable<ConstructorParameters<typeof Server>[0]['onUploadFinish']>>[1];

export class Uploads {
  readonly #workspace: Workspace;
  readonly #folder: string;
  readonly #basePath: string;
  #server: Server | undefined;

  /** @param basePath below which browsers send them */
  constructor(workspace: Workspace, basePath = '') {
    this.#workspace = workspace;
    this.#basePath = basePath;
    this.#folder = uploadsFolder(workspace.root);
  }

  /** Answers a request below `uploadsPath` of somebody who may write. */
  async handle(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const isNew = pathname === uploadsPath && request.method === 'POST';
    const isKnown = /^[0-9a-f]{32}$/.test(basename(pathname)) && ['HEAD', 'PATCH', 'DELETE'].includes(request.method);
    if (!isNew && !isKnown) return new Response('not found\n', { status: 404 });
    if (request.headers.get('tus-resumable') !== protocolVersion) {
      const text = `this is tus ${protocolVersion}: say so in Tus-Resumable\n`;
      return new Response(text, { status: 412, headers: { 'Tus-Version': protocolVersion } });
    }
    if (request.headers.has('upload-checksum')) return new Response('checksums are not supported\n', { status: 400 });
    return (await this.#opened()).handleWeb(request);
  }

  async #opened(): Promise<Server> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 });
    this.#server ??= new Server({
      path: uploadsPath,
      generateUrl: (_, { path, id }) => `${this.#basePath}${path}/${id}`,
      datastore: new PartStore({ directory: this.#folder, expirationPeriodInMilliseconds: patienceMilliseconds }),
      onUploadCreate: async (_, upload) => {
        await this.#server?.cleanUpExpiredUploads();
        await told(() => this.#accept(upload));
        return {};
      },
      onUploadFinish: async (_, upload) => {
        const key = await told(() => this.#keep(upload));
        return { status_code: 200, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ key }) };
      },
    });
    return this.#server;
  }

  /** Where it is to lie. @throws UserError where it cannot */
  #targetOf({ metadata }: Sent): string {
    const name = metadata?.['filename'] ?? '';
    const folder = metadata?.['folder'] ?? '';
    if (basename(name) !== name || name.length > 200 || /\p{Cc}/u.test(name) || !isDataFile(name)) {
      throw new UserError({
        what: 'this is no name of a data file',
        where: name,
        next: `choose a file that ends in ${DATA_EXTENSIONS.join(' ')}`,
        code: 'data_kind_unknown',
      });
    }
    const found = this.#workspace.uploadFolders().find(({ key }) => key === folder);
    if (found) return join(found.path, name);
    throw new UserError({
      what: 'there is no such folder',
      where: folder || this.#workspace.name,
      next: 'open the page again: it may have been removed or renamed',
      code: 'folder_not_found',
    });
  }

  async #accept(upload: Sent): Promise<void> {
    const target = this.#targetOf(upload);
    const { size } = upload;
    if (size === undefined) throw new UserError({ what: 'the size of the file is missing', code: 'size_missing' });
    if (size === 0) {
      throw new UserError({
        what: 'the file is empty',
        where: target,
        next: 'choose a file that has rows',
        code: 'file_empty',
      });
    }
    if (await isThere(target)) throw taken(target);
    const free = freeDisk(this.#folder);
    if (size + reservedBytes > free) {
      throw new UserError({
        what: `the file has ${size} bytes, and the disk has ${free} free, of which ${reservedBytes} are kept`,
        where: this.#workspace.root,
        next: 'make room on the disk of the agent',
        code: 'disk_full',
      });
    }
    // A file of bytes and a file that tells of it, for each.
    if ((await readdir(this.#folder)).length >= 2 * mostUnfinished) {
      throw new UserError({
        what: `${mostUnfinished} uploads are unfinished`,
        where: this.#folder,
        next: 'finish or cancel one; what nobody goes on with is removed after a day',
        code: 'too_many_uploads',
      });
    }
  }

  /** Puts the whole file where it belongs, over no other. @returns its key */
  async #keep(upload: Sent): Promise<string> {
    const target = this.#targetOf(upload);
    const whole = join(this.#folder, upload.id);
    const file = await open(whole);
    await file.sync().finally(() => file.close());
    try {
      await linkOrCopy(whole, target);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw taken(target);
      throw error;
    }
    syncFolder(join(target, '..'));
    await Promise.all([whole, `${whole}.json`].map((path) => rm(path, { force: true })));
    return this.#workspace.keyOf(target);
  }
}

/** Its folder is there before it. Writes a megabyte at a time. The library's own store writes every 64 KiB: 39 instead of 64 MB/s on two busy cores of an EPYC (Zen 5). */
class PartStore extends FileStore {
  override create(upload: Sent): Promise<Sent> {
    return this.#told(() => super.create(upload));
  }

  override write(readable: Readable, id: string, offset: number): Promise<number> {
    return this.#told(() => this.#write(readable, id, offset));
  }

  #told<T>(work: () => Promise<T>): Promise<T> {
    return told(() => work().catch((error) => Promise.reject(diskFull(error) ? noRoom(this.directory, error) : error)));
  }

  async #write(readable: Readable, id: string, offset: number): Promise<number> {
    const file = await open(join(this.directory, id), 'r+');
    let at = offset;
    let waiting: Buffer[] = [];
    let bytes = 0;
    const write = async (): Promise<void> => {
      await file.writev(waiting, at);
      at += bytes;
      waiting = [];
      bytes = 0;
    };
    try {
      for await (const chunk of readable) {
        waiting.push(chunk);
        bytes += chunk.length;
        if (bytes >= writtenAtOnce) await write();
      }
    } finally {
      // What came before a connection broke off need not come again.
      if (bytes > 0) await write();
      await file.close();
    }
    return at;
  }
}
// The library makes the folder once more, from its constructor, and throws where nobody can catch: that ended the agent.
Object.defineProperty(PartStore.prototype, 'checkOrCreateDirectory', { value: () => {} });

async function linkOrCopy(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw error;
    await copyFile(from, to, constants.COPYFILE_EXCL); // a disk without links
  }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false;
      throw error;
    },
  );
}

function noRoom(folder: string, cause: unknown): UserError {
  return new UserError({
    what: diskFull(cause) ?? 'the disk is full',
    where: folder,
    next: 'make room on the disk of the agent, then send the file again: what has arrived need not come again',
    code: 'disk_full',
    cause,
  });
}

function taken(path: string): UserError {
  return new UserError({
    what: 'there is a file of this name already, and nothing is overwritten',
    where: path,
    next: 'rename yours, or remove the other',
    code: 'file_exists',
  });
}

/** Errors as the protocol's library takes them. */
async function told<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    const status = error.code === 'disk_full' ? 507 : error.code === 'file_exists' ? 409 : 400;
    throw { status_code: status, body: JSON.stringify({ error: error.toJSON() }) };
  }
}
