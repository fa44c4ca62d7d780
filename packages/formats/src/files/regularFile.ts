import { type Stats, statSync } from 'node:fs';
import { UserError } from '../errors.ts';

/**
 * Refuses what is there and no regular file, before it is opened: a named pipe waits for a writer, a device never ends.
 * @returns undefined when nothing is there
 * @throws UserError `not_a_file`
 */
export function refuseSpecialFile(path: string): Stats | undefined {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined || status.isFile()) return status;
  throw new UserError({
    what: `${status.isDirectory() ? 'a folder' : 'a pipe or device'}, not a regular file`,
    where: path,
    next: 'give the path of a file',
    code: 'not_a_file',
  });
}
