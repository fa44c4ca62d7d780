import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

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

/** `<cache>/models/<owner>/<model>/<revision>`; one file of a model has its own folder beside the whole model's. */
export function modelFolder(
  cacheDirectory: string,
  id: string,
  revision: string | undefined,
  file: string | undefined,
): string {
  const segment = [revision ?? 'main', file].filter(Boolean).join('--');
  return join(cacheDirectory, 'models', ...id.split('/'), segment.replaceAll(/[^\w.-]|^\.+/g, '_'));
}

export function provenanceFile(folder: string): string {
  return join(folder, PROVENANCE_FILE);
}

/**
 * What a model is opened by: its folder, or its GGUF file where that is all it has.
 * Undefined when the folder is not a finished pull.
 */
export function cachedModel(folder: string): string | undefined {
  if (!existsSync(provenanceFile(folder))) return undefined;
  const { files } = JSON.parse(readFileSync(provenanceFile(folder), 'utf8')) as Provenance;
  if (!files.every(({ path }) => existsSync(join(folder, path)))) return undefined;
  const gguf = files.filter(({ path }) => path.endsWith('.gguf'));
  return gguf.length === 1 && !files.some(({ path }) => path.endsWith('.safetensors'))
    ? join(folder, gguf[0]?.path ?? '')
    : folder;
}
