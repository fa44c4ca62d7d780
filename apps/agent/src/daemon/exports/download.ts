/** What was exported as a download that can be taken up where it broke off: a file as it is, a folder as a tar archive. */
import { createHash } from 'node:crypto';
import { constants, statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join, posix } from 'node:path';
import { Readable } from 'node:stream';
import { UserError } from '@anneal/core/errors';
import type { ListedExport } from '@anneal/core/protocol/exports';
import { partOf } from './range.ts';
import { type Segment, tarSegments } from './tar.ts';

const pieceBytes = 1 << 20;

interface Download {
  name: string;
  type: string;
  size: number;
  /** Another one after any change of a file. */
  etag: string;
  segments: Segment[];
}

/** One file of it, as something that was exported by itself. @throws UserError `export_not_found` */
export function fileOf(exported: ListedExport, path: string): ListedExport {
  const file = exported.files.find((one) => one.path === path);
  if (file) return { ...exported, path: file.path, files: [file] };
  throw new UserError({
    what: 'there is no such file in what was exported',
    where: path,
    next: 'look at the list of its files',
    code: 'export_not_found',
  });
}

/** The answer to a request for it. Files are opened only while their bytes are sent. */
export function answerWith(exported: ListedExport, request: Headers): Response {
  const { name, type, size, etag, segments } = downloadOf(exported);
  const headers: Record<string, string> = {
    'Accept-Ranges': 'bytes',
    'Cache-Control': 'private, no-cache',
    'Content-Disposition': attachment(name),
    'Content-Security-Policy': "default-src 'none'; sandbox",
    'Content-Type': type,
    ETag: etag,
  };
  if (request.get('if-none-match') === etag) return new Response(null, { status: 304, headers });
  const asked = { range: request.get('range') ?? undefined, ifRange: request.get('if-range') ?? undefined };
  const part = partOf(asked, { size, etag });
  if (part === 'unsatisfiable') {
    return new Response(null, { status: 416, headers: { ...headers, 'Content-Range': `bytes */${size}` } });
  }
  const { start, end, whole } = part;
  headers['Content-Length'] = String(end - start);
  if (!whole) headers['Content-Range'] = `bytes ${start}-${end - 1}/${size}`;
  const body = Readable.toWeb(Readable.from(read(segments, start, end))) as ReadableStream;
  return new Response(body, { status: whole ? 200 : 206, headers });
}

function downloadOf({ folder, path, files, run, created }: ListedExport): Download {
  const members = files.map((file) => {
    const status = statSync(join(folder, file.path), { bigint: true });
    const seen = `${file.path} ${status.size} ${status.mtimeNs} ${status.ctimeNs} ${status.ino}`;
    return { path: join(folder, file.path), name: file.path, size: Number(status.size), seen };
  });
  const etag = `"${createHash('sha256')
    .update(members.map(({ seen }) => seen).join('\n'))
    .digest('base64url')
    .slice(0, 22)}"`;
  const [only] = members;
  if (only && only.name === path) {
    const segments = [{ path: only.path, size: only.size }];
    return { name: basename(path), type: 'application/octet-stream', size: only.size, etag, segments };
  }
  const name = [run?.id, run && `step-${run.step}`, basename(path)]
    .filter((part) => part !== null)
    .join('-')
    .slice(-60)
    .replace(/^[-.]+/, '');
  const inside = members.map((member) => ({ ...member, name: posix.join(name, posix.relative(path, member.name)) }));
  const segments = tarSegments(inside, Math.floor(Date.parse(created) / 1000) || 0);
  const size = segments.reduce((sum, segment) => sum + sizeOf(segment), 0);
  return { name: `${name}.tar`, type: 'application/x-tar', size, etag, segments };
}

const sizeOf = (segment: Segment): number => ('bytes' in segment ? segment.bytes.length : segment.size);

/** The bytes from `start` to before `end` of all segments, one after the other. */
async function* read(segments: readonly Segment[], start: number, end: number): AsyncGenerator<Buffer> {
  let at = 0;
  for (const segment of segments) {
    const size = sizeOf(segment);
    const [from, to] = [Math.max(0, start - at), Math.min(size, end - at)];
    at += size;
    if (from >= to) continue;
    if ('bytes' in segment) yield segment.bytes.subarray(from, to);
    else yield* readFile(segment, from, to);
  }
}

/** A file that is another one meanwhile, or ends early, breaks the answer off: whoever asks sees that it is not whole. */
async function* readFile({ path, size }: { path: string; size: number }, from: number, to: number) {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    if ((await file.stat()).size !== size) throw new Error(`${path} has changed`);
    for (let at = from; at < to; ) {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(Math.min(pieceBytes, to - at)), 0, null, at);
      if (bytesRead === 0) throw new Error(`${path} ends early`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** Old clients read the plain name; the other one has every character, escaped. */
function attachment(name: string): string {
  const plain = name.replace(/[^\w.-]/g, '_');
  return `attachment; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, escaped)}`;
}

function escaped(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}
