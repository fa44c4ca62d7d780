import { readFileSync } from 'node:fs';
import { UserError } from '@anneal/core/errors';

/** The bytes of a file that an option names. @throws UserError `file_not_readable` */
export function readGivenFile(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new UserError({
      what: `the file cannot be read (${(error as NodeJS.ErrnoException).code})`,
      where: path,
      next: 'name a file that this user may read',
      code: 'file_not_readable',
      cause: error,
    });
  }
}
