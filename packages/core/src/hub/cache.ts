import { type Dirent, existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { LIMITS } from '@anneal/formats/limits';
import { z } from 'zod';
import { isModelPath, PROVENANCE_FILE } from './selectFiles.ts';

/** Where a pulled model came from; written into its folder last, so that it also says that the folder is whole. */
export interface Provenance {
  readonly id: string;
  readonly source: string;
  /** Commit hash or version at the source. */
  readonly revision: string;
  /** As the hub names it, such as `apache-2.0`. */
  readonly license?: string | undefined;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

/** `$ANNEAL_CACHE`, else the platform's cache folder. */
export function defaultCacheDirectory(env: NodeJS.ProcessEnv = process.env, platform = process.platform): string {
  if (env.ANNEAL_CACHE) return resolve(env.ANNEAL_CACHE);
  if (platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'anneal');
  if (platform === 'win32') return join(env.LOCALAPPDATA || join(homedir(), 'AppData', 'Local'), 'anneal', 'Cache');
  return join(env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'anneal');
}

/** Where prepared data are kept for the next time. */
export function preparedDataFolder(cacheDirectory: string = defaultCacheDirectory()): string {
  return join(cacheDirectory, 'prepared');
}

/** `<cache>/models/<owner>/<model>/<revision>`; one file of a model has its own folder beside the whole model's. */
export function modelFolder(
  cacheDirectory: string,
  id: string,
  revision: string | undefined,
  file: string | undefined,
): string {
  const segment = [revision ?? 'main', ...(file ? [file] : [])].map(escape).join('@');
  return join(cacheDirectory, 'models', ...id.split('/'), segment);
}

/** Two names never share a folder, nor one with what lies beside the folder of another (its lock, its parts). */
export function escape(name: string): string {
  return name.replaceAll(/[^\w.-]|^\.|\.(?=lock$|partial-)/gu, percent);
}

export function provenanceFile(folder: string): string {
  return join(folder, PROVENANCE_FILE);
}

/**
 * What a model is opened by: its folder, or its GGUF file where that is all it has.
 * Undefined when the folder is not a finished pull.
 */
export function cachedModel(folder: string): string | undefined {
  const files = filesOf(provenanceFile(folder));
  if (!files?.every(({ path }) => existsSync(join(folder, path)))) return undefined;
  const gguf = files.filter(({ path }) => path.endsWith('.gguf'));
  return gguf.length === 1 && !files.some(({ path }) => path.endsWith('.safetensors'))
    ? join(folder, gguf[0]?.path ?? '')
    : folder;
}

/** Every finished pull of a model's newest files, by the name under which it is found again. */
export function pulledModels(cacheDirectory: string): { name: string; path: string }[] {
  const root = join(cacheDirectory, 'models');
  return below(root).flatMap((owner) =>
    below(join(root, owner)).flatMap((model) =>
      below(join(root, owner, model)).flatMap((segment) => {
        const [, file] = /^main(?:@([\w.-]+\.gguf))?$/.exec(segment) ?? [null];
        const path = file === null ? undefined : cachedModel(join(root, owner, model, segment));
        return path === undefined ? [] : [{ name: [owner, model, ...(file ? [file] : [])].join('/'), path }];
      }),
    ),
  );
}

/** A folder of the cache: a model that was pulled, or what has arrived of one. */
export interface CachedFolder {
  /** `owner/model`, with the file where it is one file of it. */
  readonly name: string;
  /** What was asked for at the hub; null: its main branch. */
  readonly revision: string | null;
  readonly folder: string;
  /** What it is opened by; undefined while it is not whole. */
  readonly path: string | undefined;
}

/** Everything that pulls have left in the cache, whole or not. */
export function cachedFolders(cacheDirectory: string): CachedFolder[] {
  const root = join(cacheDirectory, 'models');
  return below(root).flatMap((owner) =>
    below(join(root, owner)).flatMap((model) =>
      leftByPulls(join(root, owner, model)).map((entry): CachedFolder => {
        const folder = join(root, owner, model, entry);
        const segment = entry.replace(/\.partial-\w+$/, '');
        const [revision = '', file] = segment.split('@');
        const name = [owner, model, ...(file === undefined ? [] : [unescape(file)])].join('/');
        return { name, revision: revision === 'main' ? null : unescape(revision), folder, path: cachedModel(folder) };
      }),
    ),
  );
}

/** Undefined where nobody finished writing it. */
export function readProvenance(folder: string): Provenance | undefined {
  return parsedFile(provenanceFile(folder), provenanceSchema);
}

/** The names in a folder; none where there is no folder: files of others (`.DS_Store`) may lie beside ours. */
export function below(folder: string): string[] {
  return entriesBelow(folder).map(({ name }) => name);
}

/** The names of the folders in one that pulls have made, whole or not: none of others' files, or of names that are no `escape`. */
export function leftByPulls(folder: string): string[] {
  return entriesBelow(folder)
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.') && isEscaped(entry.name))
    .map(({ name }) => name);
}

function entriesBelow(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return [];
    throw error;
  }
}

const filesSchema = z.object({ files: z.array(z.object({ path: z.string().refine(isModelPath) })).min(1) });
const provenanceSchema = z.object({
  id: z.string(),
  source: z.string(),
  revision: z.string(),
  license: z.string().optional(),
  files: z.array(z.object({ path: z.string().refine(isModelPath), sha256: z.string().regex(/^[0-9a-f]{64}$/) })).min(1),
});

function filesOf(path: string): { path: string }[] | undefined {
  return parsedFile(path, filesSchema)?.files;
}

function parsedFile<Schema extends z.ZodType>(path: string, schema: Schema): z.output<Schema> | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return schema.parse(JSON.parse(Buffer.from(readSmallFile(path, LIMITS.configBytes)).toString()));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** Of `escape`. */
export function unescape(segment: string): string {
  return decodeURIComponent(segment);
}

function isEscaped(name: string): boolean {
  try {
    unescape(name);
    return true;
  } catch {
    return false;
  }
}

const percent = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
