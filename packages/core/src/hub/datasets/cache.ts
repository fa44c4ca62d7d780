/** Data sets that were pulled: where they lie, and how they are found again. */
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readSmallFile } from '@anneal/formats/files/randomAccess';
import { LIMITS } from '@anneal/formats/limits';
import { z } from 'zod';
import { UserError } from '../../errors.ts';
import { shellWord } from '../../shellWord.ts';
import { below, defaultCacheDirectory, escape, leftByPulls, provenanceFile, unescape } from '../cache.ts';
import { type DatasetSelection, isDataPath } from './select.ts';

const selectionSchema = z.object({
  revision: z.string().nullable(),
  name: z.string().nullable(),
  split: z.string().nullable(),
  dataFiles: z.array(z.string()).nullable(),
});

const provenanceSchema = z.object({
  id: z.string(),
  source: z.string(),
  /** Commit at the hub; of ModelScope the branch. */
  revision: z.string(),
  license: z.string().optional(),
  selection: selectionSchema,
  files: z.array(z.object({ path: z.string().refine(isDataPath), sha256: z.string().regex(/^[0-9a-f]{64}$/) })).min(1),
});

export interface PulledDataset extends z.infer<typeof provenanceSchema> {
  readonly folder: string;
}

/** The alphabet of the hubs: never a path that climbs out of the cache. */
export function isDatasetId(text: string): boolean {
  return /^[A-Za-z0-9][\w.-]{0,95}\/[A-Za-z0-9][\w.-]{0,95}$/.test(text) && !text.includes('..');
}

export function datasetsFolder(cacheDirectory: string): string {
  return join(cacheDirectory, 'datasets');
}

/** `<cache>/datasets/<owner>/<name>/<revision>@<subset>@<split>`, and a hash where files were named. */
export function datasetFolder(cacheDirectory: string, id: string, selection: DatasetSelection): string {
  const { revision, name, split, dataFiles } = selection;
  const segment = [revision ?? 'main', name ?? '', split ?? ''].map(escape).join('@');
  const files = dataFiles
    ? `@${createHash('sha256').update(JSON.stringify(dataFiles)).digest('hex').slice(0, 16)}`
    : '';
  return join(datasetHome(cacheDirectory, id), `${segment}${files}`);
}

/** What pulls of one selection of a data set have left in the cache, whole or not. */
export interface CachedDataset {
  readonly id: string;
  /** Says which rows of which set. */
  readonly name: string;
  readonly folder: string;
  /** null where it is not whole and files were named: what is left then has only their hash. */
  readonly selection: DatasetSelection | null;
  /** Undefined while it is not whole. */
  readonly pulled: PulledDataset | undefined;
}

/** Everything that pulls of data sets have left in the cache. */
export function cachedDatasets(cacheDirectory: string): CachedDataset[] {
  const root = datasetsFolder(cacheDirectory);
  return below(root).flatMap((owner) =>
    below(join(root, owner)).flatMap((set) =>
      leftByPulls(join(root, owner, set)).map((entry) => {
        const [id, folder] = [`${owner}/${set}`, join(root, owner, set, entry)];
        const [revision = '', name = '', split = '', files] = entry
          .replace(/\.partial-\w+$/, '')
          .split('@')
          .map(unescape);
        const asked: DatasetSelection = {
          revision: revision === 'main' ? null : revision,
          name: name || null,
          split: split || null,
          dataFiles: null,
        };
        const pulled = readPulled(folder);
        const selection = pulled?.selection ?? (files === undefined ? asked : null);
        return { id, name: datasetTitle(id, asked), folder, selection, pulled };
      }),
    ),
  );
}

/** Which rows of which set, in words. */
export function datasetTitle(id: string, { revision, name, split }: DatasetSelection): string {
  const rows = [revision, name, split].filter((part) => part !== null).join(', ');
  return rows === '' ? id : `${id} (${rows})`;
}

/** Undefined where the folder is no finished pull. */
export function readPulled(folder: string): PulledDataset | undefined {
  const path = provenanceFile(folder);
  if (!existsSync(path)) return undefined;
  try {
    const text = Buffer.from(readSmallFile(path, LIMITS.configBytes)).toString();
    const provenance = provenanceSchema.parse(JSON.parse(text));
    return provenance.files.every((file) => existsSync(join(folder, file.path)))
      ? { ...provenance, folder }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return undefined;
    throw error;
  }
}

/** What was pulled of this selection: under the revision that was asked for then, or under the commit that came. */
export function findPulled(
  id: string,
  selection: DatasetSelection,
  cacheDirectory: string = defaultCacheDirectory(),
): PulledDataset | undefined {
  const exact = readPulled(datasetFolder(cacheDirectory, id, selection));
  const home = datasetHome(cacheDirectory, id);
  if (exact || selection.revision === null) return exact;
  const same = JSON.stringify({ ...selection, revision: null });
  return below(home)
    .filter((entry) => !entry.includes('.partial-') && !entry.startsWith('.'))
    .flatMap((entry) => readPulled(join(home, entry)) ?? [])
    .find(
      (pulled) =>
        pulled.revision === selection.revision && JSON.stringify({ ...pulled.selection, revision: null }) === same,
    );
}

/** Absolute paths. @throws UserError `dataset_not_pulled` that says how it is */
export function pulledFiles(id: string, selection: DatasetSelection, cacheDirectory?: string): string[] {
  const pulled = findPulled(id, selection, cacheDirectory);
  if (pulled) return pulled.files.map(({ path }) => join(pulled.folder, path));
  throw new UserError({
    what: `the data set ${id} is not here: there is no such folder, and it has not been pulled`,
    where: id,
    next: `fetch it with: ${pullCommand(id, selection)}`,
    code: 'dataset_not_pulled',
  });
}

function pullCommand(id: string, { revision, name, split, dataFiles }: DatasetSelection): string {
  const options = Object.entries({ revision, name, split }).flatMap(([key, value]) =>
    value === null ? [] : [`--${key} ${shellWord(value)}`],
  );
  const files = (dataFiles ?? []).map((file) => `--file ${shellWord(file)}`);
  return ['anneal pull --data', shellWord(id), ...options, ...files].join(' ');
}

function datasetHome(cacheDirectory: string, id: string): string {
  return join(datasetsFolder(cacheDirectory), ...id.split('/'));
}
