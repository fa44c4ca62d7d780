/**
 * The subsets of a data set and their splits, as the Hugging Face Hub reads them: from `configs` in the YAML of its README, else from
 * the names of its files (huggingface.co/docs/hub/datasets-data-files-configuration).
 */
import { basename } from 'node:path/posix';
import { parseDocument } from 'yaml';
import { z } from 'zod';
import { SourceError } from '../sourceError.ts';
import { matchesGlob } from './glob.ts';

export interface DatasetConfig {
  readonly name: string;
  readonly isDefault: boolean;
  /** Split → paths of its files, in the order of their names. */
  readonly splits: ReadonlyMap<string, readonly string[]>;
}

const patterns = z.union([z.string(), z.array(z.string()).max(1000)]);
const configSchema = z.object({
  config_name: z.string().default('default'),
  default: z.boolean().default(false),
  data_dir: z.string().optional(),
  data_files: z.union([patterns, z.array(z.object({ split: z.string(), path: patterns })).max(1000)]).optional(),
});
const cardSchema = z.object({ configs: z.array(configSchema).max(2000) });

/** @param paths of files with rows, @param card the README, where there is one */
export function configsOf(paths: readonly string[], card: string | undefined): DatasetConfig[] {
  const written = card === undefined ? undefined : configsIn(card);
  if (!written) return configsByFolder(paths) ?? [{ name: 'default', isDefault: true, splits: splitsByName(paths) }];
  return written.map(({ config_name: name, default: isDefault, data_dir: folder, data_files: files }) => ({
    name,
    isDefault: isDefault || name === 'default' || written.length === 1,
    splits: splitsOf(paths, folder, files),
  }));
}

/** Those with a thousand subsets have some 200,000. */
const MOST_CHARACTERS = 1 << 20;

/** Undefined where the README says nothing of them, or nothing that can be read: then the names of the files count, as at the hub. */
function configsIn(card: string): z.output<typeof configSchema>[] | undefined {
  const [, text] = /^\uFEFF?---\r?\n(.*?)\r?\n---\s*$/ms.exec(card) ?? [];
  if (text === undefined) return undefined;
  if (text.length > MOST_CHARACTERS)
    throw new SourceError(`the YAML of its README has ${text.length} characters, more than ${MOST_CHARACTERS}`);
  // To look for keys that are there twice takes as long as there are pairs of keys; the last one counts, as at the hub.
  const document = parseDocument(text, { uniqueKeys: false });
  if (document.errors.length > 0) return undefined;
  return cardSchema.safeParse(document.toJS({ maxAliasCount: 100 })).data?.configs;
}

function splitsOf(
  paths: readonly string[],
  folder: string | undefined,
  files: z.output<typeof configSchema>['data_files'],
): Map<string, string[]> {
  const base = folder === undefined || folder === '.' ? '' : `${folder.replace(/^\.\/|\/+$/g, '')}/`;
  const inside = paths.filter((path) => path.startsWith(base));
  if (files === undefined) return splitsByName(inside, base);
  const bySplit = isPatterns(files) ? [{ split: 'train', path: files }] : files;
  return new Map(bySplit.map(({ split, path }) => [split, matching(inside, path, base)]));
}

function isPatterns(files: string | readonly unknown[]): files is string | string[] {
  return typeof files === 'string' || files.every((file) => typeof file === 'string');
}

function matching(paths: readonly string[], wanted: string | readonly string[], base: string): string[] {
  const all = [wanted].flat().map((pattern) => base + pattern.replace(/^\.?\//, ''));
  return paths.filter((path) => all.some((pattern) => path === pattern || matchesGlob(path, pattern)));
}

/** As the Hub's branch refs/convert/parquet has them: `<subset>/<split>/0000.parquet`. */
function configsByFolder(paths: readonly string[]): DatasetConfig[] | undefined {
  const parts = paths.map((path) => /^([^/]+)\/([^/]+)\/\d{4}\.parquet$/.exec(path));
  if (paths.length === 0 || parts.includes(null)) return undefined;
  const bySubset = Map.groupBy(parts as RegExpExecArray[], ([, subset]) => subset as string);
  return [...bySubset].map(([name, files]) => ({
    name,
    isDefault: name === 'default' || bySubset.size === 1,
    splits: new Map(
      [...Map.groupBy(files, ([, , split]) => split as string)].map(([split, found]) => [
        split,
        found.map(([path]) => path),
      ]),
    ),
  }));
}

const keywords: Readonly<Record<string, string>> = {
  train: 'train|training',
  validation: 'validation|valid|dev|val',
  test: 'test|testing|eval|evaluation',
};
const between = '[-._ 0-9]';

/** Shards such as `data/train-00000-of-00002.parquet`, else words in the names of folders, else in those of files; else all is `train`. */
function splitsByName(paths: readonly string[], base = ''): Map<string, string[]> {
  const shards = Map.groupBy(
    paths,
    (path) => /^data\/([\w.]+)-\d{5}-of-\d{5}[^/]*\.[^/]*$/.exec(path.slice(base.length))?.[1],
  );
  shards.delete(undefined);
  if (shards.size > 0) return shards as Map<string, string[]>;
  const foldersOf = (path: string) => path.slice(base.length).split('/').slice(0, -1);
  return (
    byKeyword((words) => {
      const folder = new RegExp(`(^|${between})(${words})($|${between})`);
      return paths.filter((path) => foldersOf(path).some((part) => folder.test(part)));
    }) ??
    byKeyword((words) => {
      const name = new RegExp(`(^|${between})(${words})${between}`);
      return paths.filter((path) => name.test(basename(path)));
    }) ??
    new Map(paths.length > 0 ? [['train', [...paths]]] : [])
  );
}

function byKeyword(pathsWith: (words: string) => string[]): Map<string, string[]> | undefined {
  const found = Object.entries(keywords).flatMap(([split, words]) => {
    const paths = pathsWith(words);
    return paths.length > 0 ? [[split, paths] as const] : [];
  });
  return found.length > 0 ? new Map(found) : undefined;
}
