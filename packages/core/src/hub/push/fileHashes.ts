import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { fileChanged } from './pushErrors.ts';

/** A file to be pushed: `name` in the repository, `path` on the disk, or the text itself. */
export type PushedFile = { readonly name: string } & ({ readonly path: string } | { readonly text: string });

export interface HashedFile {
  readonly file: PushedFile;
  readonly bytes: number;
  readonly sha256: string;
  /** SHA-1 over a header and the content, by which git, and so the hub, knows small files. */
  readonly gitBlob: string;
  /** By which a change is noticed while it is sent; empty for a text. */
  readonly stamp: string;
}

/** @param onBytes is told what was read since the last call */
export async function hashFile(
  file: PushedFile,
  onBytes: (bytes: number) => void,
  signal: AbortSignal | undefined,
): Promise<HashedFile> {
  const sha256 = createHash('sha256');
  const gitBlob = createHash('sha1');
  const { bytes, stamp } = await lookAt(file);
  gitBlob.update(`blob ${bytes}\0`);
  const add = (piece: Uint8Array) => {
    sha256.update(piece);
    gitBlob.update(piece);
    onBytes(piece.length);
  };
  if ('text' in file) add(Buffer.from(file.text));
  else {
    const source = createReadStream(file.path, { highWaterMark: 1 << 20 });
    const sink = async (pieces: AsyncIterable<Buffer>) => {
      for await (const piece of pieces) add(piece);
    };
    await pipeline(source, sink, signal ? { signal } : {});
  }
  const hashed = { file, bytes, stamp, sha256: sha256.digest('hex'), gitBlob: gitBlob.digest('hex') };
  await requireUnchanged(hashed);
  return hashed;
}

/** @throws UserError `pushed_file_changed` */
export async function requireUnchanged({ file, stamp }: Pick<HashedFile, 'file' | 'stamp'>): Promise<void> {
  if ((await lookAt(file)).stamp !== stamp) throw fileChanged('path' in file ? file.path : file.name);
}

async function lookAt(file: PushedFile): Promise<{ bytes: number; stamp: string }> {
  if ('text' in file) return { bytes: Buffer.byteLength(file.text), stamp: '' };
  const found = await stat(file.path, { bigint: true }).catch(() => undefined);
  if (!found?.isFile()) throw fileChanged(file.path);
  return { bytes: Number(found.size), stamp: `${found.ino} ${found.size} ${found.mtimeNs}` };
}
