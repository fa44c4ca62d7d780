/** The folder that an agent serves: where its runs and recipes are found. Nothing outside of it is read or written. */
import { type Dirent, readdirSync, realpathSync, statSync } from 'node:fs';
import { basename, join, relative, resolve, sep } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { listRuns } from '@anneal/core/trainer/runReader';

/** Projects lie in the workspace or in folders of it: `recipe.yaml`, `my-run/recipe.yaml`, `team/my-run/recipe.yaml`. */
const depth = 2;
const mostFolders = 2000;

export interface FoundRun {
  /** Relative to the workspace, with `/`. */
  key: string;
  path: string;
}

export class Workspace {
  readonly root: string;
  readonly #runsFolder: string | undefined;

  /** @param runsFolder the only folder that holds runs; without it every folder called `runs` does */
  constructor(root: string, runsFolder?: string) {
    const absolute = resolve(root);
    if (!statSync(absolute, { throwIfNoEntry: false })?.isDirectory()) {
      throw new UserError({
        what: 'there is no such folder to serve',
        where: absolute,
        next: 'name the folder that holds your recipes and runs: `anneal serve <folder>`',
        code: 'workspace_not_found',
      });
    }
    this.root = realpathSync(absolute);
    this.#runsFolder = runsFolder === undefined ? undefined : resolve(runsFolder);
  }

  get name(): string {
    return basename(this.root);
  }

  /** Oldest first. */
  async runs(): Promise<FoundRun[]> {
    const folders =
      this.#runsFolder === undefined ? this.#folders().filter((path) => basename(path) === 'runs') : [this.#runsFolder];
    const paths = (await Promise.all(folders.map((folder) => listRuns(folder)))).flat();
    const found = paths.map((path) => ({ key: this.#keyOf(path), path }));
    return found.sort((a, b) => (basename(a.path) < basename(b.path) ? -1 : 1));
  }

  #keyOf(path: string): string {
    return relative(this.root, path).split(sep).join('/');
  }

  /** The workspace and the folders in it, to the depth at which projects lie. Links are not followed, hidden ones left out. */
  #folders(): string[] {
    const found: string[] = [];
    const visit = (folder: string, level: number): void => {
      if (found.length >= mostFolders) return;
      found.push(folder);
      if (level > depth || basename(folder) === 'runs') return;
      for (const entry of entriesOf(folder)) {
        if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name === 'node_modules') continue;
        visit(join(folder, entry.name), level + 1);
      }
    };
    visit(this.root, 0);
    return found;
  }
}

/** A folder that cannot be looked into, or is just gone, has nothing to show. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EACCES' || code === 'EPERM' || code === 'ENOENT') return [];
    throw error;
  }
}
