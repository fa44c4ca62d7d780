import { lstatSync, readdirSync, renameSync, rmdirSync, rmSync, unlinkSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type ListedExport, type RemoveExportsRequest, removeExportsRequest } from '@anneal/core/protocol/exports';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { listExports } from './list.ts';
import { readEntries, recordPath, writeEntries } from './record.ts';

/**
 * What removing these would remove, each named by its path. @param folders as of `listExports`
 * @throws UserError `export_not_found`, `export_entry_foreign`
 */
export async function removableExports(
  context: Context,
  request: RemoveExportsRequest,
  folders: readonly string[] = [],
): Promise<ListedExport[]> {
  const { run, paths } = parseRequest(removeExportsRequest, request);
  const known = await listExports(context, { run }, folders);
  return [...new Set(paths.map((path) => resolve(path)))].map((path) => {
    const found = known.find(({ folder, path: below }) => join(folder, below) === path);
    if (!found) throw notFound(path);
    refuseForeign(found);
    return found;
  });
}

/** Removes what was exported, and the folders that are empty then. All are looked at before the first one goes. */
export async function removeExports(
  context: Context,
  request: RemoveExportsRequest,
  folders: readonly string[] = [],
): Promise<ListedExport[]> {
  const found = await removableExports(context, request, folders);
  for (const { folder, path } of found) removeFrom(folder, path);
  return found;
}

/** It first takes another name: after a kill it is no export any more, and is cleared away the next time. */
function removeFrom(folder: string, path: string): void {
  const removed = join(folder, '.removed');
  removeLeftovers(removed);
  const aside = temporaryBeside(removed);
  renameSync(join(folder, path), aside);
  rmSync(aside, { recursive: true });
  removeIfEmpty(dirname(join(folder, path)));
  const left = readEntries(folder);
  if (left.length > 0) return writeEntries(folder, left);
  unlinkSync(recordPath(folder));
  removeIfEmpty(folder);
}

/** A folder that holds more than was exported stays. */
function refuseForeign({ folder, path, files }: ListedExport): void {
  const whole = join(folder, path);
  if (!lstatSync(whole).isDirectory()) return;
  const ours = new Set(files.map((file) => join(folder, file.path)));
  const there = readdirSync(whole, { withFileTypes: true, recursive: true }).filter((entry) => !entry.isDirectory());
  const foreign = there.map((entry) => join(entry.parentPath, entry.name)).filter((file) => !ours.has(file));
  if (foreign.length === 0) return;
  throw new UserError({
    what: `it holds what was not exported: ${foreign
      .slice(0, 5)
      .map((file) => relative(whole, file))
      .join(', ')}`,
    where: whole,
    next: 'move that elsewhere first, or remove the folder yourself',
    code: 'export_entry_foreign',
  });
}

function removeIfEmpty(folder: string): void {
  try {
    rmdirSync(folder);
  } catch {
    // There is something in it.
  }
}

function notFound(path: string): UserError {
  return new UserError({
    what: 'nothing of this run was exported there, or it is gone',
    where: path,
    next: 'list what there is with `anneal exports ls`',
    code: 'export_not_found',
  });
}
