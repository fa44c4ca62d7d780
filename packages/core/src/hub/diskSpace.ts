import { statfs } from 'node:fs/promises';
import { tooLittleSpace } from './pullErrors.ts';

/** Throws a UserError when the disk of `folder` has less than `bytes` free. */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free >= bytes) return;
  const numbers = `${gigabytes(bytes)} needed, ${gigabytes(free)} free`;
  throw tooLittleSpace(folder, `the disk is too full for this model: ${numbers}`);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
