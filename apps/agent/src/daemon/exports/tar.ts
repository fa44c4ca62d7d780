/** The layout of a tar file (POSIX ustar) of files whose sizes are known: which bytes stand where, before any is read. */
import { posix } from 'node:path';
import { UserError } from '@anneal/core/errors';

const block = 512;
/** Of a size in octal digits; a larger one is written in base 256, as GNU tar and libarchive read it. */
const largestOctal = 8 ** 11 - 1;

/** Bytes that stand in the answer, or those of a file. */
export type Segment = { bytes: Buffer } | { path: string; size: number };

export interface TarMember {
  /** In the archive. */
  name: string;
  path: string;
  size: number;
}

/** @param modified in seconds since 1970, of all members: the same files make the same archive */
export function tarSegments(members: readonly TarMember[], modified: number): Segment[] {
  const segments = members.flatMap(({ name, path, size }): Segment[] => {
    const padding = (block - (size % block)) % block;
    return [{ bytes: header(name, size, modified) }, { path, size }, { bytes: Buffer.alloc(padding) }];
  });
  return [...segments, { bytes: Buffer.alloc(2 * block) }];
}

function header(name: string, size: number, modified: number): Buffer {
  const bytes = Buffer.alloc(block);
  const folder = posix.dirname(name);
  const file = posix.basename(name);
  if (Buffer.byteLength(file) > 100 || Buffer.byteLength(folder) > 155) {
    throw new UserError({
      what: 'this name is too long for an archive',
      where: name,
      next: 'copy the folder from the machine of the agent',
      code: 'name_too_long',
    });
  }
  bytes.write(file, 0);
  if (folder !== '.') bytes.write(folder, 345);
  octal(bytes, 0o644, 100, 8); // mode
  octal(bytes, 0, 108, 8); // owner
  octal(bytes, 0, 116, 8); // group
  if (size <= largestOctal) octal(bytes, size, 124, 12);
  else {
    bytes[124] = 0x80;
    bytes.writeBigUInt64BE(BigInt(size), 128);
  }
  octal(bytes, modified, 136, 12);
  bytes.write('        ', 148); // the checksum counts itself as blanks
  bytes.write('0', 156); // a regular file
  bytes.write('ustar\x0000', 257);
  const sum = bytes.reduce((total, byte) => total + byte, 0);
  bytes.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return bytes;
}

function octal(bytes: Buffer, value: number, at: number, length: number): void {
  bytes.write(`${value.toString(8).padStart(length - 1, '0')}\0`, at);
}
