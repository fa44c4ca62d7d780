/**
 * `anneal-export.json` beside what was exported: of which run and checkpoint it is, and which files belong to it. It names
 * files below its own folder only, so that what came from a stranger cannot speak of anything else.
 */
import { existsSync, lstatSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type ExportEntry, exportRecordSchema } from '@anneal/core/protocol/exports';
import { replaceFile } from '@anneal/formats/files/atomicWrite';

/** Entries lie in the folder of their record, or one below. */
const mostAbove = 2;
/** Each entry has some hundred bytes. */
const largestRecord = 4 << 20;

export function recordPath(folder: string): string {
  return join(folder, 'anneal-export.json');
}

/** What the folder's record tells, as far as it is still there; nothing where there is no record. @throws UserError `export_record_damaged` */
export function readEntries(folder: string): ExportEntry[] {
  const path = recordPath(folder);
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status) return [];
  const problem = !status.isFile() ? 'it is no file' : status.size > largestRecord ? 'it is too large' : undefined;
  const read = problem === undefined ? exportRecordSchema.safeParse(parsed(readFileSync(path, 'utf8'))) : undefined;
  if (read?.success) return read.data.entries.filter((entry) => isThere(folder, entry));
  throw new UserError({
    what: `the record of exports cannot be read: ${problem ?? 'it is not what Anneal writes'}`,
    where: path,
    next: 'move the file away; what was exported stays, and is no longer listed',
    code: 'export_record_damaged',
  });
}

export function writeEntries(folder: string, entries: readonly ExportEntry[]): void {
  replaceFile(recordPath(folder), `${JSON.stringify({ version: 1, entries }, null, 2)}\n`, { sync: true });
}

/** The entry of something that was exported, and the folder of the record that has it; undefined where there is none. */
export function recordOf(path: string): { folder: string; entry: ExportEntry } | undefined {
  let folder = resolve(path);
  for (let level = 0; level < mostAbove; level++) {
    folder = dirname(folder);
    const entry = readEntries(folder).find((found) => join(folder, found.path) === resolve(path));
    if (entry) return { folder, entry };
  }
  return undefined;
}

/** Every file of it, none of them by a link that leads elsewhere. */
function isThere(folder: string, { files }: ExportEntry): boolean {
  const root = realpathSync(folder);
  return files.every(({ path }) => {
    const file = join(root, path);
    return existsSync(file) && realpathSync(file) === file && statSync(file).isFile();
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
