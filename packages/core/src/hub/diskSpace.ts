import { statfs } from 'node:fs/promises';
import { diskFull } from './pullErrors.ts';

/** Throws a UserError when the disk of `folder` has less than `bytes` free. */
export async function requireSpace(folder: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  const free = bavail * bsize;
  if (free < bytes) throw diskFull(folder, `${gigabytes(bytes)} needed, ${gigabytes(free)} free`);
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(2)} GB`;
}
