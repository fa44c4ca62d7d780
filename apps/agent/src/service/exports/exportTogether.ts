import { existsSync, mkdirSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { refuseExisting } from '@anneal/core/export/newFolder';
import type { ExportEntry, ExportedForm } from '@anneal/core/protocol/exports';
import { syncFolder } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';
import { readEntries, writeEntries } from './record.ts';

interface Exporting {
  /** Makes the forms below what it is given. */
  write(staging: string): Promise<ExportedForm[]>;
  /** What the record of the target then says of them. */
  entries(forms: readonly ExportedForm[]): ExportEntry[];
  signal?: AbortSignal | undefined;
}

/**
 * All forms of an export appear below `target` together, once the last one is whole: one that was killed, cancelled or failed left
 * nothing there, and can be repeated as it was.
 * @param paths folders, or files of a folder that is there already, below `target`
 * @throws UserError `export_exists`, `export_record_damaged` before anything is written
 */
export async function exportTogether(
  target: string,
  paths: readonly string[],
  { write, entries, signal }: Exporting,
): Promise<ExportedForm[]> {
  for (const path of paths) await refuseExisting(join(target, path));
  const temporary = join(target, '.export');
  const above = lastThere(target);
  removeLeftovers(temporary);
  if (existsSync(target)) readEntries(target);
  makeFolder(target);
  const staging = temporaryBeside(temporary);
  try {
    mkdirSync(staging);
    const written = await write(staging);
    signal?.throwIfAborted();
    for (const path of paths) await refuseExisting(join(target, path));
    const forms = written.map((form) => movedTo(target, staging, form));
    // The record first: of what it names, only what is there counts.
    const added = entries(forms);
    writeEntries(target, [
      ...readEntries(target).filter(({ path }) => !added.some((entry) => entry.path === path)),
      ...added,
    ]);
    // Nothing in between: a kill has microseconds to leave one without the other.
    for (const path of paths) renameSync(join(staging, path), join(target, path));
    for (const folder of new Set(paths.map((path) => dirname(join(target, path))))) syncFolder(folder);
    return forms;
  } catch (error) {
    throw error instanceof UserError && error.where?.startsWith(staging) ? ofTarget(error, target) : error;
  } finally {
    rmSync(staging, { recursive: true, force: true });
    removeEmpty(target, above);
  }
}

/** Where it was being written is gone. */
const ofTarget = ({ what, next, code }: UserError, where: string): UserError =>
  new UserError({ what, where, next, code });

function movedTo(target: string, staging: string, { path, files, ...rest }: ExportedForm): ExportedForm {
  const moved = (from: string) => join(target, relative(staging, from));
  return { ...rest, path: moved(path), files: files.map((file) => ({ ...file, path: moved(file.path) })) };
}

/** The folder itself or the nearest above it that is there. */
function lastThere(folder: string): string {
  let there = resolve(folder);
  while (!existsSync(there)) there = dirname(there);
  return there;
}

/** The folder and those above it, up to `above`, as long as there is nothing in them: it was made for nothing. */
function removeEmpty(folder: string, above: string): void {
  for (let empty = resolve(folder); empty !== above; empty = dirname(empty)) {
    try {
      rmdirSync(empty);
    } catch {
      return; // There is something in it: what was exported, now or before.
    }
  }
}
