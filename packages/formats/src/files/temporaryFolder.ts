import { mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { removeLeftovers, temporaryBeside } from './processOwner.ts';

/**
 * A folder among the system's temporary files, readable by this user alone, for the caller to remove. What killed processes left
 * under the same purpose is removed first: prepared data can be gigabytes.
 * @param purpose a word for its name
 */
export function makeTemporaryFolder(purpose: string): string {
  const name = join(tmpdir(), `anneal-${purpose}`);
  removeLeftovers(name);
  const folder = temporaryBeside(name);
  mkdirSync(folder, { mode: 0o700 });
  return folder;
}
