import { UserError } from '../errors.ts';
import { catalog } from './catalog.ts';

export function unknownModel(name: string): UserError {
  return new UserError({
    what: `'${name}' is neither a model's short name nor a hub id`,
    where: name,
    next: `give one of ${catalog.map((entry) => entry.name).join(', ')}, or owner/model, or owner/model/file.gguf`,
    code: 'unknown_model_name',
  });
}

export function badRevision(revision: string): UserError {
  return new UserError({
    what: `${JSON.stringify(revision.slice(0, 100))} is no revision: up to 100 characters without blanks`,
    where: '--revision',
    next: 'give a branch, a tag or a commit of the model',
    code: 'bad_revision',
  });
}

export function notInCache(id: string, cacheDirectory: string, sources: readonly string[]): UserError {
  return new UserError({
    what: `${id} is not in the cache, and offline was asked for`,
    where: cacheDirectory,
    next: `without offline it would be fetched from the first that has it: ${sources.join(', ')}`,
    code: 'model_not_in_cache',
  });
}

export function tooLittleSpace(folder: string, what: string, cause?: unknown): UserError {
  return new UserError({
    what,
    where: folder,
    next: 'make room, or point ANNEAL_CACHE to a folder on another disk',
    code: 'disk_full',
    cause,
  });
}

/** @param failures one line per source, in the order tried. */
export function everySourceFailed(
  { id, kind }: { id: string; kind: 'model' | 'data set' },
  folder: string,
  failures: readonly string[],
): UserError {
  const isModel = kind === 'model';
  return new UserError({
    what: [`${id} could not be fetched. Tried:`, ...failures.map((line) => `  - ${line}`)].join('\n'),
    where: folder,
    next: [
      'check the name and the network (a proxy: NODE_USE_ENV_PROXY=1; a mirror: HF_ENDPOINT=https://…) and run the same',
      'command again, which goes on where it stopped; or bring it here by other means and give its path',
    ].join(' '),
    code: isModel ? 'model_not_fetched' : 'dataset_not_fetched',
  });
}
