import { mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { refuseExisting } from '@anneal/core/export/newFolder';
import type { ExportedForm } from '@anneal/core/protocol/exports';
import { syncFolder } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';

/**
 * All forms of an export appear below `target` together, once the last one is whole: one that was killed or failed left nothing
 * there, and can be repeated as it was.
 * @param paths folders, or files of a folder that is there already, below `target`: `write` makes them below what it is given
 * @throws UserError `export_exists` before anything is written
 */
export async function exportTogether(
  target: string,
  paths: readonly string[],
  write: (staging: string) => Promise<ExportedForm[]>,
): Promise<ExportedForm[]> {
  for (const path of paths) await refuseExisting(join(target, path));
  const temporary = join(target, '.export');
  removeLeftovers(temporary);
  makeFolder(target);
  const staging = temporaryBeside(temporary);
  try {
    mkdirSync(staging);
    const forms = await write(staging);
    for (const path of paths) await refuseExisting(join(target, path));
    // Nothing in between: a kill has microseconds to leave one without the other.
    for (const path of paths) renameSync(join(staging, path), join(target, path));
    for (const folder of new Set(paths.map((path) => dirname(join(target, path))))) syncFolder(folder);
    return forms.map((form) => movedTo(target, staging, form));
  } finally {
    rmSync(staging, { recursive: true, force: true });
    removeIfEmpty(target);
  }
}

function movedTo(target: string, staging: string, { path, files, ...rest }: ExportedForm): ExportedForm {
  const moved = (from: string) => join(target, relative(staging, from));
  return { ...rest, path: moved(path), files: files.map((file) => ({ ...file, path: moved(file.path) })) };
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There is something in it: what was exported, now or before.
  }
}
