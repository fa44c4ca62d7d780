import { readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type ListExportsRequest, type ListedExport, listExportsRequest } from '@anneal/core/protocol/exports';
import { kindOf } from '@anneal/core/trainer/runFiles';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { pathOfRun } from '../runs/find.ts';
import { readEntries } from './record.ts';

/**
 * What a run was exported as and still lies there, oldest first: in its own export folder, and in others that are named.
 * @param folders elsewhere; what they hold of other runs is left out
 */
export async function listExports(
  context: Context,
  request: ListExportsRequest,
  folders: readonly string[] = [],
): Promise<ListedExport[]> {
  const path = await pathOfRun(context, parseRequest(listExportsRequest, request).run);
  const places = [...foldersIn(join(path, 'export')), ...folders];
  const found = places.flatMap((folder) => readEntries(folder).map((entry) => ({ ...entry, folder })));
  return found
    .filter(({ run }) => run?.id === basename(path))
    .sort((a, b) => (a.created === b.created ? (a.path < b.path ? -1 : 1) : a.created < b.created ? -1 : 1));
}

/** The folder and those in it. Links are not followed. */
function foldersIn(folder: string): string[] {
  if (kindOf(folder) !== 'folder') return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  const inside = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'));
  return [folder, ...inside.map(({ name }) => join(folder, name))];
}
