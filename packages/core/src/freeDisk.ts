import { existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** Bytes without which a disk is nearly full. */
export const leastDisk = 5e8;

/** Bytes that are free where `folder` lies, or would lie: it need not be there yet. */
export function freeDisk(folder: string): number {
  let place = resolve(folder);
  while (!existsSync(place) && dirname(place) !== place) place = dirname(place);
  const { bavail, bsize } = statfsSync(place);
  return bavail * bsize;
}
