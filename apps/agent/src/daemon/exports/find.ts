/** What runs were exported as, by keys: they are looked up among what is there, never joined to a path. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/core/errors';
import type { ListedExport } from '@anneal/core/protocol/exports';
import { listExports } from '../../service/exports/list.ts';
import { recordPath } from '../../service/exports/record.ts';
import type { Workspace } from '../workspace.ts';

interface Run {
  key: string;
  path: string;
}

export function exportsOf(workspace: Workspace, { path }: Run): Promise<ListedExport[]> {
  return listExports({}, { run: path }, foldersWithExports(workspace));
}

/** In the order of the keys. @throws UserError `export_not_found` */
export async function exportsNamed(workspace: Workspace, run: Run, keys: readonly string[]): Promise<ListedExport[]> {
  const all = await exportsOf(workspace, run);
  return keys.map((key) => {
    const found = all.find(({ folder, path }) => workspace.keyOf(join(folder, path)) === key);
    if (found) return found;
    throw new UserError({
      what: 'this is not there',
      where: key,
      next: 'it may have been removed or renamed: look at what the run was exported as',
      code: 'export_not_found',
    });
  });
}

/** Beside those that lie in the runs themselves. */
export function foldersWithExports(workspace: Workspace): string[] {
  return workspace.folders().filter((folder) => existsSync(recordPath(folder)));
}
