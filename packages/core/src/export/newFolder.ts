import { mkdir, readdir, rename, rm, rmdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';
import { UserError } from '../errors.ts';

/**
 * A folder that appears under its name only when it is complete: `write` fills one beside it, which is then renamed.
 * @returns the files in it with their sizes
 * @throws UserError when something is there already; nothing is ever replaced
 */
export async function writeNewFolder(
  path: string,
  write: (temporary: string) => Promise<void>,
): Promise<{ path: string; bytes: number }[]> {
  await refuseExisting(path);
  const temporary = temporaryBeside(path);
  makeFolder(dirname(path));
  removeLeftovers(path);
  try {
    await mkdir(temporary);
    await write(temporary);
    await rmdir(path).catch(() => undefined); // an empty folder; a rename cannot replace it on Windows
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    throw error;
  }
  const files: { path: string; bytes: number }[] = [];
  for (const name of (await readdir(path)).toSorted()) {
    const file = join(path, name);
    files.push({ path: file, bytes: (await stat(file)).size });
  }
  return files;
}

/** @throws UserError `export_exists` where there is anything but an empty folder */
export async function refuseExisting(path: string): Promise<void> {
  const found = await stat(path).catch(() => null);
  if (found === null || (found.isDirectory() && (await readdir(path)).length === 0)) return;
  throw new UserError({
    what: 'something is there already, and an export replaces nothing',
    where: path,
    next: 'remove it or choose another folder; GGUF types that are not there yet are added to those that are',
    code: 'export_exists',
  });
}
