/** The folder that an agent serves: where its runs and recipes are found. Nothing outside of it is read or written. */
import { type Dirent, lstatSync, readdirSync, readFileSync, realpathSync, statSync } from 'node:fs';
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from 'node:path';
import { isDataFile } from '@anneal/core/datasets/dataFiles';
import { UserError } from '@anneal/core/errors';
import { listRuns } from '@anneal/core/trainer/runReader';

/** Projects lie in the workspace or in folders of it: `recipe.yaml`, `my-run/recipe.yaml`, `team/my-run/recipe.yaml`. */
const depth = 2;
export const mostFolders = 2000;

export interface FoundRun {
  /** Relative to the workspace, with `/`. */
  key: string;
  path: string;
}

export interface FoundRecipe extends FoundRun {
  modified: Date;
}

export interface FoundData extends FoundRecipe {
  bytes: number;
}

/** The folder of a model has files of its own, which are no data. */
const modelFiles: ReadonlySet<string> = new Set(['config.json', 'tokenizer.json', 'package.json']);

/** The longest recipes have some KiB. */
const largestRecipe = 256 << 10;

export class Workspace {
  readonly root: string;
  readonly #runsFolder: string | undefined;
  readonly #log: (text: string) => void;
  #hasSaid = false;

  /**
   * @param runsFolder the only folder that holds runs; without it every folder called `runs` does
   * @param log is told, once, where there are more folders than are looked into
   */
  constructor(root: string, runsFolder?: string, log: (text: string) => void = () => {}) {
    this.#log = log;
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

  /** The folders that hold runs. */
  runsFolders(): string[] {
    return this.#runsFolder === undefined
      ? this.folders().filter((path) => basename(path) === 'runs')
      : [this.#runsFolder];
  }

  /** Oldest first. */
  async runs(): Promise<FoundRun[]> {
    const paths = (await Promise.all(this.runsFolders().map((folder) => listRuns(folder)))).flat();
    const found = paths.map((path) => ({ key: this.keyOf(path), path }));
    return found.sort((a, b) => (basename(a.path) < basename(b.path) ? -1 : 1));
  }

  /** The recipes, newest first. A file that a link leads to is none of the workspace's. */
  recipes(): FoundRecipe[] {
    return this.#recipes(/^base_model\s*:/m);
  }

  /** Those of `anneal synthesize`, newest first. */
  synthesisRecipes(): FoundRecipe[] {
    return this.#recipes(/^\s*\{?\s*"?endpoint"?\s*:/m);
  }

  #recipes(mark: RegExp): FoundRecipe[] {
    const found = this.#yamlFiles()
      .filter((path) => looksLikeRecipe(path, mark))
      .flatMap((path) => {
        const status = statSync(path, { throwIfNoEntry: false });
        return status ? [{ key: this.keyOf(path), path, modified: status.mtime }] : [];
      });
    return found.sort((a, b) => b.modified.getTime() - a.modified.getTime());
  }

  /**
   * The path of a recipe, or of a file that is going to be one: while it is written it does not always look like one. A
   * key is looked up among the files found, never joined to a path.
   * @throws UserError `recipe_not_found`
   */
  recipe(key: string): string {
    const found = this.#yamlFiles().find((path) => this.keyOf(path) === key);
    if (found !== undefined) return found;
    throw new UserError({
      what: 'there is no such recipe',
      where: key,
      next: 'it may have been removed or renamed: look at the list of recipes',
      code: 'recipe_not_found',
    });
  }

  /** The models: folders with weights and a description of them, and GGUF files; below `folder` those of a run's exports. */
  models(folder?: string): FoundRun[] {
    const folders =
      folder === undefined ? this.folders().filter((path) => basename(path) !== 'runs') : foldersBelow(folder);
    const paths = folders.flatMap((path) => {
      const names = entriesOf(path)
        .filter((entry) => entry.isFile())
        .map(({ name }) => name);
      const isModel = names.includes('config.json') && names.some((name) => name.endsWith('.safetensors'));
      return [
        ...(isModel ? [path] : []),
        ...names.filter((name) => name.endsWith('.gguf')).map((name) => join(path, name)),
      ];
    });
    return paths.map((path) => ({ key: this.keyOf(path), path }));
  }

  /** The data files, newest first: none of models, of runs, nor such as a link leads to. */
  dataFiles(): FoundData[] {
    const files = this.folders()
      .filter((folder) => basename(folder) !== 'runs')
      .flatMap((folder) => {
        const entries = entriesOf(folder).filter((entry) => entry.isFile() && !entry.name.startsWith('.'));
        if (entries.some(({ name }) => modelFiles.has(name))) return [];
        return entries.filter(({ name }) => isDataFile(name)).map(({ name }) => join(folder, name));
      });
    const found = files.flatMap((path) => {
      const status = statSync(path, { throwIfNoEntry: false });
      return status ? [{ key: this.keyOf(path), path, bytes: status.size, modified: status.mtime }] : [];
    });
    return found.sort((a, b) => b.modified.getTime() - a.modified.getTime());
  }

  /** Where a data file may be put: the workspace, and the folders of projects in it but those of models and runs. */
  uploadFolders(): FoundRun[] {
    return this.folders()
      .filter((path) => basename(path) !== 'runs' && !entriesOf(path).some(({ name }) => modelFiles.has(name)))
      .map((path) => ({ key: this.keyOf(path), path }));
  }

  /** The path of a data file, looked up as that of a recipe. @throws UserError `file_not_found` */
  dataFile(key: string): string {
    const found = this.dataFiles().find((file) => file.key === key);
    if (found) return found.path;
    throw new UserError({
      what: 'there is no such data file',
      where: key,
      next: 'it may have been removed or renamed: look at the list of data files',
      code: 'file_not_found',
    });
  }

  /**
   * Runs that lie there are in the list.
   * @param where names what wants to put them there @throws UserError `runs_elsewhere`
   */
  assertWatched(folder: string, where: string): void {
    const level = relative(this.root, folder).split(sep).length;
    const isWatched =
      this.#runsFolder === undefined
        ? isBelow(folder, this.root) && basename(folder) === 'runs' && level <= depth + 1
        : folder === this.#runsFolder;
    if (isWatched) return;
    throw new UserError({
      what: `the runs of this recipe go to ${folder}, where this agent does not look for runs`,
      where,
      next: 'let output_dir name a folder called runs below the folder that the agent serves, or start the agent with --runs-dir',
      code: 'runs_elsewhere',
    });
  }

  /**
   * The path of a folder to write to, which need not be there yet. It has to be one in which the agent looks for what lies there.
   * @param key relative to the workspace, with `/`
   * @throws UserError `folder_outside`
   */
  newFolder(key: string): string {
    const names = key.replace(/\/+$/, '').split('/');
    const path = join(this.root, ...names);
    const isPlain = names.every(
      (name) => /^[^.\\\p{C}][^\\\p{C}]*$/u.test(name) && name !== 'runs' && name !== 'node_modules',
    );
    if (isPlain && names.length <= depth + 1 && isWithoutLinks(path)) return path;
    throw new UserError({
      what: 'this is no folder that can be written to from here',
      where: key,
      next: `name one below ${this.root}, at most ${depth + 1} folders down, such as exports/first: no hidden one, none called runs, none behind a link`,
      code: 'folder_outside',
    });
  }

  get runsFolder(): string | undefined {
    return this.#runsFolder;
  }

  #yamlFiles(): string[] {
    return this.folders()
      .filter((folder) => basename(folder) !== 'runs')
      .flatMap((folder) =>
        entriesOf(folder)
          .filter((entry) => entry.isFile() && /\.ya?ml$/i.test(entry.name))
          .map((entry) => join(folder, entry.name)),
      );
  }

  /** Relative to the workspace, with `/`: what names a path in requests and links. */
  keyOf(path: string): string {
    return relative(this.root, path).split(sep).join('/');
  }

  /** The workspace and the folders in it, to the depth at which projects lie. Links are not followed, hidden ones left out. */
  folders(): string[] {
    const found = foldersBelow(this.root);
    if (found.length === mostFolders && !this.#hasSaid) {
      this.#hasSaid = true;
      this.#log(
        `${this.root} has ${mostFolders} folders or more: runs, recipes, data and models in further ones are not seen; serve a folder with fewer`,
      );
    }
    return found;
  }
}

function foldersBelow(root: string): string[] {
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
  visit(root, 0);
  return found;
}

/** What is there of the path is what it says: no link leads elsewhere, and no file stands in the way. */
function isWithoutLinks(path: string): boolean {
  let there = path;
  while (!isThere(there)) there = dirname(there);
  return lstatSync(there).isDirectory() && realpathSync(there) === there;
}

/** A link counts, wherever it leads; what lies below a file does not. */
function isThere(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  } catch {
    return false;
  }
}

/** A folder that cannot be looked into, or is just gone, has nothing to show. */
function entriesOf(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (isGoneOrClosed(error)) return [];
    throw error;
  }
}

/** Undefined of a file that cannot be looked into, or is just gone. */
export function textAt(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isGoneOrClosed(error)) return undefined;
    throw error;
  }
}

function isGoneOrClosed(error: unknown): boolean {
  return ['EACCES', 'EPERM', 'ENOENT'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** It has a key of such recipes; whether it is right is another question. */
function looksLikeRecipe(path: string, mark: RegExp): boolean {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined || status.size > largestRecipe) return false;
  return mark.test(textAt(path) ?? '');
}

function isBelow(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || !(way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way));
}
