import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { LIMITS } from '@anneal/formats/limits';
import { z } from 'zod';
import { isModelPath } from './selectFiles.ts';

/** Where a pulled model came from; written into its folder last, so that it also says that the folder is whole. */
export interface Provenance {
  readonly id: string;
  readonly source: string;
  /** Commit hash or version at the source. */
  readonly revision: string;
  readonly files: readonly { readonly path: string; readonly sha256: string }[];
}

const PROVENANCE_FILE = 'provenance.json';

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
function escape(name: string): string {
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

function below(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder) : [];
}

const Files = z.object({ files: z.array(z.object({ path: z.string().refine(isModelPath) })).min(1) });

/** Undefined where nobody finished writing it. */
function filesOf(path: string): { path: string }[] | undefined {
  if (!existsSync(path)) return undefined;
  try {
    return Files.parse(JSON.parse(Buffer.from(readSmallFile(path, LIMITS.configBytes)).toString())).files;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

const percent = (character: string): string =>
  [...Buffer.from(character)].map((byte) => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`).join('');
