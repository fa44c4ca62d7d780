import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { open, rename, rm, writeFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { leastProgress, PATIENCE, type Patience } from './boundedFetch.ts';
import { asSourceError, httpError, SourceError } from './sourceError.ts';
import { BrokenTransfer, Watchdog } from './watchdog.ts';

export interface RemoteFile {
  readonly path: string;
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bytes: number;
  /** Lower-case hex. Hubs know the SHA-256 of large files and git's blob hash (SHA-1 over a header and the content) of small ones. */
  readonly checksum: { readonly algorithm: 'sha256' | 'git_blob'; readonly hex: string } | undefined;
}

export interface DownloadOptions {
  signal?: AbortSignal | undefined;
  /** Bytes of this file that are on disk so far. */
  onBytes?: (bytes: number) => void;
  patience?: Patience;
}

const RETRY_DELAYS_MILLISECONDS = [300, 1000, 3000];

/**
 * Downloads a file to `destination`, which appears only once it is whole and its checksum is right.
 * A broken transfer leaves `destination.part` (and its ETag beside it), where the next attempt, now or in another
 * process, goes on; if the server's file has changed since, it starts over.
 * Returns the file's SHA-256. Throws a SourceError.
 */
export async function downloadFile(file: RemoteFile, destination: string, options: DownloadOptions): Promise<string> {
  const part = partFile(destination);
  // Left whole by a pull that broke at a later file; without a checksum it might be of another commit.
  if (file.checksum && existsSync(destination)) await rename(destination, part);
  const resumed = existsSync(part);
  await transferWithRetries(file, part, options);
  const { sha256, mismatch } = await verify(file, part);
  if (mismatch) {
    await discard(part);
    if (resumed) return await downloadFile(file, destination, options);
    throw new SourceError(mismatch);
  }
  await rename(part, destination);
  await rm(etagFile(part), { force: true });
  return sha256;
}

async function transferWithRetries(file: RemoteFile, part: string, options: DownloadOptions): Promise<void> {
  // What is sent again after a fresh start is no progress: it could go on like that without end.
  let furthest = sizeOf(part);
  let begun = performance.now();
  for (let failures = 0; sizeOf(part) !== file.bytes || file.bytes === 0; ) {
    try {
      return await transfer(file, part, options);
    } catch (error) {
      const reason = asSourceError(error, options.signal);
      if (!(reason instanceof BrokenTransfer) && reason.cause === undefined) throw reason;
      const least = leastProgress(file.bytes, performance.now() - begun);
      failures = sizeOf(part) - furthest >= least ? 1 : failures + 1;
      begun = performance.now();
      furthest = Math.max(furthest, sizeOf(part));
      const pause = RETRY_DELAYS_MILLISECONDS[failures - 1];
      if (pause === undefined) throw new SourceError(`${file.path}: ${reason.message}`, error);
      await delay(pause, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
  options.onBytes?.(file.bytes);
}

/** One request; appends to `part` if the server's file is still the one that `part` began with. */
async function transfer(
  file: RemoteFile,
  part: string,
  { signal, onBytes, patience = PATIENCE }: DownloadOptions,
): Promise<void> {
  const watchdog = new Watchdog(signal);
  try {
    const etag = existsSync(etagFile(part)) ? readFileSync(etagFile(part), 'utf8') : undefined;
    const have = etag === undefined || sizeOf(part) > file.bytes ? 0 : sizeOf(part);
    watchdog.expect(patience.answerMilliseconds);
    const response = await fetch(file.url, {
      signal: watchdog.signal,
      headers: {
        ...file.headers,
        'Accept-Encoding': 'identity',
        ...(have > 0 ? { Range: `bytes=${have}-` } : {}),
        ...(have > 0 && etag?.startsWith('"') ? { 'If-Range': etag } : {}),
      },
    });
    const continues = response.status === 206 && have > 0;
    if (continues && !isContinuation(response, have, file.bytes, etag)) {
      await response.body?.cancel();
      await discard(part);
      throw new BrokenTransfer('the file changed on the server during the download');
    }
    if (response.status === 416) await discard(part);
    if (!response.ok || !response.body) {
      await response.body?.cancel();
      throw response.status === 416 || response.status >= 500
        ? new BrokenTransfer(httpError(response.status).message)
        : new SourceError(`${file.path}: ${httpError(response.status).message}`);
    }
    if (!continues) await writeFile(etagFile(part), response.headers.get('etag') ?? '');
    await append(response.body, part, continues ? have : 0, file, patience.stallMilliseconds, watchdog, onBytes);
  } finally {
    watchdog.stop();
  }
}

async function append(
  body: ReadableStream<Uint8Array>,
  part: string,
  start: number,
  file: RemoteFile,
  stallMilliseconds: number,
  watchdog: Watchdog,
  onBytes: DownloadOptions['onBytes'],
): Promise<void> {
  const handle = await open(part, start > 0 ? 'a' : 'w');
  try {
    let written = start;
    let seen = start;
    watchdog.expect(stallMilliseconds);
    for await (const chunk of body) {
      written += chunk.byteLength;
      if (written > file.bytes) break;
      await handle.writeFile(chunk);
      // A drip is no progress.
      if (written - seen >= leastProgress(file.bytes, stallMilliseconds)) {
        seen = written;
        watchdog.expect(stallMilliseconds);
      }
      onBytes?.(written);
    }
    await handle.sync();
    if (written < file.bytes) throw new BrokenTransfer(`the connection ended after ${written} of ${file.bytes} bytes`);
    if (written > file.bytes) {
      await discard(part);
      throw new SourceError(`${file.path} is longer than the ${file.bytes} bytes that the server announced`);
    }
  } finally {
    await handle.close();
  }
}

function isContinuation(response: Response, start: number, total: number, etag: string | undefined): boolean {
  const range = /^bytes (\d+)-\d+\/(\d+)$/.exec(response.headers.get('content-range') ?? '');
  return Number(range?.[1]) === start && Number(range?.[2]) === total && (response.headers.get('etag') ?? '') === etag;
}

async function verify(file: RemoteFile, path: string): Promise<{ sha256: string; mismatch: string | undefined }> {
  const sha256 = createHash('sha256');
  const gitBlob = createHash('sha1').update(`blob ${file.bytes}\0`);
  for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) {
    sha256.update(chunk);
    if (file.checksum?.algorithm === 'git_blob') gitBlob.update(chunk);
  }
  const hex = sha256.digest('hex');
  if (!file.checksum) return { sha256: hex, mismatch: undefined };
  const found = file.checksum.algorithm === 'sha256' ? hex : gitBlob.digest('hex');
  const expected = file.checksum.hex;
  const name = file.checksum.algorithm === 'sha256' ? 'SHA-256' : 'git blob hash';
  return {
    sha256: hex,
    mismatch:
      found === expected ? undefined : `${file.path} is damaged: its ${name} is ${found}, the source says ${expected}`,
  };
}

/** How much of the file an earlier attempt left, whole or in part. */
export function bytesOnDisk(file: RemoteFile, destination: string): number {
  return Math.min(file.bytes, Math.max(sizeOf(destination), sizeOf(partFile(destination))));
}

/** Every name that a file has while it comes. */
export function placesOf(destination: string): string[] {
  return [destination, partFile(destination), etagFile(partFile(destination))];
}

function partFile(destination: string): string {
  return `${destination}.part`;
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function etagFile(part: string): string {
  return `${part}.etag`;
}

async function discard(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(etagFile(part), { force: true });
}
