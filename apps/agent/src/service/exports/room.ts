import { UserError } from '@anneal/core/errors';
import { freeDisk } from '@anneal/core/freeDisk';

/** @throws UserError `disk_full` where less than `needed` bytes are free */
export function refuseWithoutRoom(folder: string, needed: number): void {
  const free = freeDisk(folder);
  if (free >= needed) return;
  throw new UserError({
    what: `the disk is too full for this export: it takes ${megabytes(needed)}, ${megabytes(free)} are free`,
    where: folder,
    next: 'free some, choose a folder on another disk, or fewer forms',
    code: 'disk_full',
  });
}

function megabytes(bytes: number): string {
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(2)} GB`;
}
