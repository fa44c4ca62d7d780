/** Folders of a test file's own. They lie in the one of the whole run (temporaryRoot.ts), which goes when the run ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folders: string[] = [];

// Hooks run last to first, and this module is loaded before a file sets its own: what uses a folder is closed by now.
afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** A fresh folder, removed after the last test of the file, also when tests fail. @param name says whose it is */
export function temporaryFolder(name = 'test'): string {
  const folder = mkdtempSync(join(tmpdir(), `anneal-${name}-`));
  folders.push(folder);
  return folder;
}
