import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { notMade } from './makeFolder.ts';
import { removeLeftovers, temporaryBeside } from './processOwner.ts';

/**
 * A folder among the system's temporary files, readable by this user alone, for the caller to remove. What killed processes left
 * under the same purpose is removed first: prepared data can be gigabytes.
 * @param purpose a word for its name
 * @throws UserError `folder_not_writable`, `disk_full`
 */
export function makeTemporaryFolder(purpose: string): string {
  const name = join(tmpdir(), `anneal-${purpose}`);
  removeLeftovers(name);
  const folder = temporaryBeside(name);
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (cause) {
    throw notMade(folder, 'point TMPDIR to a folder that can be written', cause);
  }
  return folder;
}
