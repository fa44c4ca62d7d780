/** What a push takes of what was exported: one form, as a repository holds one model. */
import { statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { ExportEntry, ListedExport } from '@anneal/core/protocol/exports';
import { kindOf } from '@anneal/core/trainer/runFiles';
import type { Context } from '../context.ts';
import { listExports } from '../exports/list.ts';
import { readEntries, recordOf } from '../exports/record.ts';
import { pathOfRun } from '../runs/find.ts';

export interface ChosenExport {
  form: 'lora' | 'merged' | 'gguf';
  /** The entries of it: of GGUF files one each, and the Modelfile. All of one run and step. */
  entries: readonly [ListedExport, ...ListedExport[]];
}

/**
 * @param source an exported folder or file; a folder of GGUF files with what lies in it; or a run that was exported in one form
 * @throws UserError `nothing_exported`, `push_ambiguous`, `export_not_found`, `run_not_found`
 */
export async function chooseExport(context: Context, source: string): Promise<ChosenExport> {
  const path = resolve(source);
  const kind = kindOf(path);
  if (kind === undefined || kindOf(join(path, 'events.jsonl')) !== undefined) return ofRun(context, source);
  const entries = kind === 'folder' ? entriesIn(path) : entriesOfFile(path);
  const [chosen] = groupsOf(entries);
  if (chosen) return chosen;
  throw new UserError({
    what: 'this was not exported by Anneal: there is no record of it',
    where: path,
    next: 'name a run, or a path as `anneal exports ls` shows it',
    code: 'export_not_found',
  });
}

async function ofRun(context: Context, source: string): Promise<ChosenExport> {
  const run = await pathOfRun(context, source);
  const groups = groupsOf(await listExports(context, { run }));
  const [only] = groups;
  if (only && groups.length === 1) return only;
  if (!only) {
    throw new UserError({
      what: 'nothing was exported of this run',
      where: run,
      next: `export it first, for instance with: anneal export ${basename(run)} --lora`,
      code: 'nothing_exported',
    });
  }
  throw new UserError({
    what: 'the run was exported in several ways, and a repository holds one of them',
    where: run,
    next: `name one as \`anneal exports ls\` shows it: ${groups.map(folderOf).join(', ')}`,
    code: 'push_ambiguous',
  });
}

/** Adapter, merged model, or all GGUF files of a folder with the Modelfile there. */
function groupsOf(entries: readonly ListedExport[]): ChosenExport[] {
  const groups = Map.groupBy(entries, (entry) => {
    const { form, folder, path, run } = entry;
    const together = form === 'lora' || form === 'merged' ? path : dirname(path);
    return `${folder}\0${together}\0${run?.id}\0${run?.step}`;
  });
  return [...groups.values()].flatMap((members): ChosenExport[] => {
    const weights = members.filter(({ form }) => form !== 'ollama');
    const [first, ...rest] = [...weights, ...members.filter(({ form }) => form === 'ollama')];
    if (!first || first.form === 'ollama') return [];
    return [{ form: first.form, entries: [first, ...rest] }];
  });
}

/** The folder that the chosen files lie in. */
export function folderOf({ form, entries: [first] }: ChosenExport): string {
  const path = join(first.folder, first.path);
  return form === 'gguf' ? dirname(path) : path;
}

function entriesIn(folder: string): ListedExport[] {
  const found = recordOf(folder);
  if (found) return [{ ...found.entry, folder: found.folder }];
  const above = dirname(folder);
  return [above, folder].flatMap((place) =>
    readEntries(place)
      .filter(
        (entry) => (entry.form === 'gguf' || entry.form === 'ollama') && dirname(join(place, entry.path)) === folder,
      )
      .map((entry: ExportEntry) => ({ ...entry, folder: place })),
  );
}

function entriesOfFile(path: string): ListedExport[] {
  const found = statSync(path).isFile() ? recordOf(path) : undefined;
  return found && found.entry.form !== 'ollama' ? [{ ...found.entry, folder: found.folder }] : [];
}
