/** The models that are here: pulled ones, whole or not, and folders and files that are named. */
import { type Dirent, existsSync, lstatSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { UserError } from '@anneal/core/errors';
import { type CachedFolder, cachedFolders, defaultCacheDirectory, readProvenance } from '@anneal/core/hub/cache';
import { isGgufCopy } from '@anneal/core/hub/catalog';
import { type OpenModel, openModel } from '@anneal/core/models/open';
import { type ListModelsRequest, type LocalModel, listModelsRequest } from '@anneal/core/protocol/models';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { metadataString } from '@anneal/formats/gguf/metadata';
import { openGguf } from '@anneal/formats/gguf/read';
import { LIMITS } from '@anneal/formats/limits';
import type { Context } from '../context.ts';
import { parseRequest } from '../parseRequest.ts';
import { reporting } from '../reporting.ts';
import { usersOf } from './users.ts';

type Seen = Pick<
  LocalModel,
  'format' | 'architecture' | 'parameters' | 'types' | 'hasChatTemplate' | 'license' | 'error'
>;

const unseen: Seen = {
  format: null,
  architecture: null,
  parameters: null,
  types: [],
  hasChatTemplate: null,
  license: null,
  error: null,
};

/** By name. */
export function listModels(_: Context, request: ListModelsRequest): AsyncGenerator<never, LocalModel[]> {
  return reporting(async () => {
    const { paths, runs } = parseRequest(listModelsRequest, request);
    const users = usersOf(runs);
    const pulled = cachedFolders(defaultCacheDirectory()).map((cached) => pulledModel(cached));
    const named = paths.map((path) => namedModel(resolve(path)));
    const models = [...pulled, ...named].map((model) => ({ ...model, runs: users(model.path) }));
    return models.sort((a, b) => (a.name < b.name ? -1 : 1));
  });
}

function pulledModel({ name, revision, folder, path }: CachedFolder): LocalModel {
  const provenance = path === undefined ? undefined : readProvenance(folder);
  const seen = path === undefined ? unseen : look(path);
  return {
    name,
    path: path ?? folder,
    place: 'cache',
    isWhole: path !== undefined,
    bytes: sizeOf(folder),
    ...seen,
    license: provenance?.license ?? seen.license,
    source: provenance?.source ?? null,
    revision,
    commit: provenance?.revision ?? null,
    isCopy: provenance !== undefined && isGgufCopy(provenance.id, provenance.revision),
    runs: [],
  };
}

function namedModel(path: string): LocalModel {
  return {
    name: path,
    path,
    place: 'folder',
    isWhole: true,
    bytes: sizeOf(path),
    ...look(path),
    source: null,
    revision: null,
    commit: null,
    isCopy: false,
    runs: [],
  };
}

/** Config, names and shapes are read, no weight is. */
function look(path: string): Seen {
  let model: OpenModel;
  try {
    model = openModel(path);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { ...unseen, error: error.toJSON() };
  }
  try {
    const tensors = [...model.tensors.values()].map(({ dtype, shape }) => {
      return { dtype, count: shape.reduce((product, extent) => product * extent, 1) };
    });
    const byType = Map.groupBy(tensors, ({ dtype }) => dtype);
    const counts = [...byType].map(([type, members]) => ({
      type,
      count: members.reduce((sum, { count }) => sum + count, 0),
    }));
    return {
      format: model.format,
      architecture: model.architecture.modelType,
      parameters: counts.reduce((sum, { count }) => sum + count, 0),
      types: counts.sort((a, b) => b.count - a.count).map(({ type }) => type),
      hasChatTemplate: model.chatTemplates !== null,
      license: model.format === 'gguf' ? licenseInGguf(path) : licenseInFolder(path),
      error: null,
    };
  } finally {
    model.close();
  }
}

/** Null: it can be opened, or is an adapter, which is opened with its base. */
export function whyNotOpened(path: string): LocalModel['error'] {
  return existsSync(join(path, 'adapter_config.json')) ? null : look(path).error;
}

/** As the hub named it when it was pulled, else as the model itself does; null where nothing does. @param path as `openModel` takes it */
export function licenseOf(path: string): string | null {
  const isFile = path.endsWith('.gguf');
  const pulled = readProvenance(isFile ? dirname(path) : path)?.license;
  return pulled ?? (isFile ? licenseInGguf(path) : licenseInFolder(path));
}

function licenseInGguf(path: string): string | null {
  const source = openGguf(path);
  source.close();
  return metadataString(source.metadata, 'general.license', path) ?? null;
}

/** In the head of a model card. */
function licenseInFolder(folder: string): string | null {
  const card = join(folder, 'README.md');
  const status = statSync(card, { throwIfNoEntry: false });
  if (!status || status.size > LIMITS.configBytes) return null;
  const text = Buffer.from(readSmallFile(card, LIMITS.configBytes)).toString('utf8');
  const [, head = ''] = /^---\n([\s\S]*?)\n---/.exec(text) ?? [];
  return /^license:\s*["']?([\w.+-]{1,60})/m.exec(head)?.[1] ?? null;
}

/** Links are not followed. What somebody has removed meanwhile has none. */
export function sizeOf(path: string): number {
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (!status?.isDirectory()) return status?.size ?? 0;
  const files = filesIn(path).filter((entry) => entry.isFile());
  return files.reduce(
    (sum, entry) => sum + (lstatSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0),
    0,
  );
}

/** Of a folder that may be removed while it is read: then none. */
function filesIn(folder: string): Dirent[] {
  try {
    return readdirSync(folder, { withFileTypes: true, recursive: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    return [];
  }
}

/** Names a model of the cache. @throws UserError `model_not_in_cache`, `model_ambiguous` */
export function cachedNamed(model: string): CachedFolder {
  const all = cachedFolders(defaultCacheDirectory());
  const found = all.filter(({ name, folder, path }) => name === model || folder === model || path === model);
  const [first] = found.filter(({ path }) => path !== undefined).concat(found);
  if (first && (found.length === 1 || first.folder === model || first.path === model)) return first;
  throw new UserError({
    what: first ? `${found.length} models of the cache have this name` : 'this model is not in the cache',
    where: model,
    next: first
      ? `name one by its folder: ${found.map(({ folder }) => folder).join(', ')}`
      : 'list what is there with `anneal models ls`',
    code: first ? 'model_ambiguous' : 'model_not_in_cache',
  });
}
