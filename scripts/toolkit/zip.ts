/** Reads ZIP archives, as wheels are, wherever their bytes are: on the disk, or a part at a time from a server. */
import { openSync, readSync } from 'node:fs';
import { crc32, inflateRawSync } from 'node:zlib';

/** Returns `length` bytes from `start`. */
export type ReadBytes = (start: number, length: number) => Promise<Buffer>;

export interface ZipEntry {
  readonly path: string;
  /** POSIX permissions; 0 where the archive has none. */
  readonly mode: number;
  readonly method: number;
  readonly crc: number;
  readonly compressedBytes: number;
  /** Of the local header, which stands before the content. */
  readonly offset: number;
}

const endRecordBytes = 22;
const longestComment = 0xffff;

export function readFromFile(path: string): ReadBytes {
  const file = openSync(path, 'r');
  return async (start, length) => {
    const bytes = Buffer.alloc(length);
    const read = readSync(file, bytes, 0, length, start);
    if (read < length) throw new Error(`${path} ends after ${start + read} bytes`);
    return bytes;
  };
}

/** The files in an archive of `bytes` bytes. Throws where it is no ZIP archive, or one of more than 4 GB. */
export async function zipEntries(read: ReadBytes, bytes: number): Promise<ZipEntry[]> {
  const tailBytes = Math.min(bytes, endRecordBytes + longestComment);
  const tail = await read(bytes - tailBytes, tailBytes);
  const end = tail.lastIndexOf('PK\x05\x06', undefined, 'latin1');
  if (end < 0) throw new Error('it is not a ZIP archive');
  const count = tail.readUInt16LE(end + 10);
  const directory = await read(tail.readUInt32LE(end + 16), tail.readUInt32LE(end + 12));
  const entries: ZipEntry[] = [];
  for (let at = 0; entries.length < count; ) {
    if (directory.readUInt32LE(at) !== 0x02014b50) throw new Error('the directory of the ZIP archive is damaged');
    const nameBytes = directory.readUInt16LE(at + 28);
    entries.push({
      path: directory.toString('utf8', at + 46, at + 46 + nameBytes),
      mode: (directory.readUInt32LE(at + 38) >>> 16) & 0o777,
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      compressedBytes: directory.readUInt32LE(at + 20),
      offset: directory.readUInt32LE(at + 42),
    });
    at += 46 + nameBytes + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  return entries.filter(({ path }) => !path.endsWith('/'));
}

/** The content of a file of the archive. Throws where its checksum is another. */
export async function zipContent(read: ReadBytes, entry: ZipEntry): Promise<Buffer> {
  const header = await read(entry.offset, 30);
  const start = entry.offset + 30 + header.readUInt16LE(26) + header.readUInt16LE(28);
  const stored = await read(start, entry.compressedBytes);
  if (entry.method !== 0 && entry.method !== 8)
    throw new Error(`${entry.path} is compressed by method ${entry.method}`);
  const content = entry.method === 0 ? stored : inflateRawSync(stored);
  if (crc32(content) !== entry.crc) throw new Error(`${entry.path} in the ZIP archive is damaged`);
  return content;
}
