import { statfs } from 'node:fs/promises';
import { formatBytes } from '../formatBytes.ts';
import { tooLittleSpace } from './pullErrors.ts';

/** Throws a UserError when the disk of `folder` has less than `bytes` free. */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const numbers = `${formatBytes(bytes, 4)} needed, ${formatBytes(free, 4)} free`;
  throw tooLittleSpace(folder, `the disk is too full for this download: ${numbers}`);
}
