import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { syncFolder, syncTree } from '@anneal/formats/files/atomicWrite';
import { makeFolder } from '@anneal/formats/files/makeFolder';
import { removeLeftovers, temporaryBeside } from '@anneal/formats/files/processOwner';
import { UserError } from '../errors.ts';
import { asDiskError } from './diskError.ts';

/** What to do where the folder of runs cannot be made. */
export const RUNS_ELSEWHERE = 'make it writable, or choose another with output_dir or --runs-dir';

export interface NewRun {
  /** The folder of runs, which is made where there is none. */
  root: string;
  name: string;
  recipeText: string;
  resolvedText: string;
  /** The file that the recipe came from, where it came from one. */
  recipePath?: string | undefined;
}

/** The folder of a new run appears with both recipes in it, or not at all. @throws UserError `folder_not_writable`, `runs_not_writable`, `disk_full` */
export async function createRunFolder({ name, recipeText, resolvedText, ...options }: NewRun): Promise<string> {
  const root = resolve(options.root);
  const draft = await createDraft(root);
  let path: string;
  try {
    for (const folder of ['checkpoints', 'data', 'export']) await mkdir(join(draft, folder));
    await writeFile(join(draft, 'recipe.yaml'), recipeText);
    await writeFile(join(draft, 'recipe.resolved.yaml'), resolvedText);
    for (const file of ['events.jsonl', 'samples.jsonl', 'run.log']) await writeFile(join(draft, file), '');
    await syncTree(draft);
    path = await moveToFreeName(draft, join(root, newRunId(name)));
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    throw asDiskError(error, root);
  }
  syncFolder(root);
  return path;
}

async function createDraft(root: string): Promise<string> {
  makeFolder(root, RUNS_ELSEWHERE);
  // Hidden, and of a name that tells when its process is gone.
  const wanted = join(root, '.new');
  removeLeftovers(wanted);
  try {
    const draft = temporaryBeside(wanted);
    await mkdir(draft);
    return draft;
  } catch (error) {
    const disk = asDiskError(error, root);
    if (disk instanceof UserError) throw disk;
    throw new UserError({
      what: `the folder for runs cannot be written: ${(error as Error).message}`,
      where: root,
      next: RUNS_ELSEWHERE,
      code: 'runs_not_writable',
      cause: error,
    });
  }
}

/** Sorts by time (UTC) and can be read: 20260131-142500-my-recipe. */
function newRunId(name: string): string {
  const time = new Date().toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15);
  const slug = name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{Letter}\p{Number}]+/gu, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 48);
  return slug ? `${time}-${slug}` : time;
}

/** Renames onto `wanted`, or `wanted-2`, … where that is taken, as by a run created in the same second. */
async function moveToFreeName(from: string, wanted: string): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    const path = attempt === 1 ? wanted : `${wanted}-${attempt}`;
    try {
      await rename(from, path);
      return path;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
  }
}
