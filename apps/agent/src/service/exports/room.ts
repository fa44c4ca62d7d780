import { UserError } from '@anneal/core/errors';
import { freeDisk } from '@anneal/core/freeDisk';
import { formatBytes } from '../../units.ts';

/** @throws UserError `disk_full` where less than `needed` bytes are free */
export function refuseWithoutRoom(folder: string, needed: number): void {
  const free = freeDisk(folder);
  if (free >= needed) return;
  throw new UserError({
    what: `the disk is too full for this export: it takes ${formatBytes(needed, 4)}, ${formatBytes(free, 4)} are free`,
    where: folder,
    next: 'free some, choose a folder on another disk, or fewer forms',
    code: 'disk_full',
  });
}
