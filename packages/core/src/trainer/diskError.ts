import { diskFull } from '@anneal/formats/files/diskFull';
import { UserError } from '../errors.ts';

/** A full disk is the user's to mend; anything else stays what it is. */
export function asDiskError(error: unknown, path: string): unknown {
  const full = diskFull(error instanceof UserError ? error.cause : error);
  if (!full) return error;
  return new UserError({
    what: full,
    where: path,
    next: 'free some space, then continue with `anneal runs resume`; nothing written before is lost',
    code: 'disk_full',
    cause: error,
  });
}
