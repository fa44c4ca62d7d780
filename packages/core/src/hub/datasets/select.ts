/** Which files of a data set's repository are fetched. */
import { UserError } from '../../errors.ts';
import { isProvenance } from '../selectFiles.ts';
import { configsOf, type DatasetConfig } from './configs.ts';
import { matchesGlob } from './glob.ts';

/** What a recipe, or `anneal pull --data`, asks of a data set; null where it leaves it open. */
export interface DatasetSelection {
  /** Branch, tag or commit. */
  readonly revision: string | null;
  /** Subset. */
  readonly name: string | null;
  readonly split: string | null;
  /** Paths or patterns within the repository, in the place of its own splits. */
  readonly dataFiles: readonly string[] | null;
}

const ROW_FILE = /\.(parquet|jsonl|ndjson|json|csv|tsv)$/i;
/** Rows in a form that is not read. */
const UNREAD_ROWS = /\.(?:(?:parquet|jsonl?|ndjson|csv|tsv|txt)\.(?:gz|zst|bz2|xz|zip)|arrow)$/i;
/** Descriptions that lie beside rows. */
const DESCRIPTIONS = /(^|\/)(dataset_infos?|dataset_dict|state|config)\.json$/i;
/** Of letters, digits and a few marks: nothing is hidden, nothing climbs. */
const PLAIN_NAME = /^[\p{L}\p{N}_][\p{L}\p{M}\p{N}_ .+=,@()-]*$/u;
/** A file system allows 255, of which a download adds some. */
const MOST_NAME_BYTES = 202;
const MOST_FOLDERS = 8;
const MOST_FILES = 10_000;

/** Whether a file of a pulled data set may have this path. */
export function isDataPath(path: string): boolean {
  const names = path.split('/');
  const arePlain = names.every((name) => PLAIN_NAME.test(name) && Buffer.byteLength(name) <= MOST_NAME_BYTES);
  const isInside = arePlain && names.length <= MOST_FOLDERS + 1 && !path.includes('..');
  return isInside && ROW_FILE.test(path) && !isProvenance(path);
}

const CONVERTED = 'refs/convert/parquet';

/**
 * The files of one split of one subset, of one kind.
 * @param card the README of the repository
 * @throws UserError that lists what there is where it has to be said which is meant, and for repositories without readable rows
 */
export function selectDataFiles(
  id: string,
  listed: readonly string[],
  card: string | undefined,
  wanted: DatasetSelection,
): string[] {
  const paths = [...new Set(listed)].filter((path) => isDataPath(path) && !DESCRIPTIONS.test(path)).sort();
  if (wanted.dataFiles) return ofOneKind(id, namedFiles(id, paths, wanted));
  refuseScript(id, listed, paths, card);
  refuseUnread(id, listed);
  const config = configOf(id, configsOf(paths, card), wanted.name);
  return ofOneKind(id, filesOf(id, config, wanted.split));
}

function namedFiles(id: string, paths: readonly string[], { dataFiles, split, name }: DatasetSelection): string[] {
  if (name !== null || (split !== null && split !== 'train')) {
    throw refusal(
      id,
      'data_files are named, so there is nothing left for name and split to choose',
      'leave out name and split, or data_files',
      'dataset_selection',
    );
  }
  const found = (dataFiles ?? []).map((pattern) =>
    paths.filter((path) => path === pattern || matchesGlob(path, pattern)),
  );
  const missing = (dataFiles ?? []).find((_, i) => found[i]?.length === 0);
  if (missing === undefined) return [...new Set(found.flat())].sort();
  throw refusal(
    id,
    `it has no file with rows that is called ${missing}`,
    `its files are: ${list(paths)}`,
    'dataset_file_not_found',
  );
}

function configOf(id: string, configs: readonly DatasetConfig[], name: string | null): DatasetConfig {
  const names = configs.map((config) => config.name);
  const [first] = configs;
  const found =
    name === null
      ? configs.length === 1
        ? first
        : configs.find(({ isDefault }) => isDefault)
      : configs.find((config) => config.name === name);
  if (found) return found;
  if (name !== null)
    throw refusal(id, `it has no subset ${name}`, `its subsets are: ${list(names)}`, 'dataset_name_unknown');
  throw refusal(
    id,
    `it has ${configs.length} subsets, and none is its default`,
    `say which one with name: ${list(names)}`,
    'dataset_name_needed',
  );
}

function filesOf(id: string, { name, splits }: DatasetConfig, split: string | null): readonly string[] {
  const names = [...splits.keys()];
  const chosen = split ?? (names.length === 1 ? names[0] : undefined);
  if (split !== null && /[[\]+]/.test(split)) {
    throw refusal(
      id,
      `${split} is a slice or a sum of splits, which is not read`,
      'name one split; max_samples takes a part of it, and another entry of datasets adds another split',
      'dataset_split_slice',
    );
  }
  if (chosen === undefined) {
    throw refusal(
      id,
      names.length === 0 ? noRows(name) : `it has ${names.length} splits`,
      names.length === 0 ? lookElsewhere : `say which one with split: ${list(names)}`,
      'dataset_split_needed',
    );
  }
  const files = splits.get(chosen);
  if (!files) throw refusal(id, `it has no split ${chosen}`, `its splits are: ${list(names)}`, 'dataset_split_unknown');
  if (files.length > 0) return files;
  throw refusal(
    id,
    `its split ${chosen} names no Parquet, JSON, JSONL or CSV file that is there`,
    lookElsewhere,
    'dataset_without_rows',
  );
}

const noRows = (name: string) => `its subset ${name} has no Parquet, JSON, JSONL or CSV file`;
const lookElsewhere = `many data sets are there as Parquet as well: set revision: ${CONVERTED}; otherwise download and convert it`;

/** A script would have to be run to know what the rows are. */
function refuseScript(id: string, listed: readonly string[], paths: readonly string[], card: string | undefined): void {
  const script = `${id.split('/')[1]}.py`;
  const hasConfigs = configsOf(paths, card).some(({ splits }) =>
    [...splits.values()].some((files) => files.length > 0),
  );
  if (listed.includes(script)) {
    throw refusal(
      id,
      `its rows are made by a program, ${script}, and Anneal runs no program that comes as data`,
      `if the hub has converted it, set revision: ${CONVERTED}${hasConfigs ? '; or name files with rows in data_files' : ''}`,
      'dataset_script',
    );
  }
  if (hasConfigs) return;
  const others = listed.filter((path) => !/(^|\/)\.|\.md$/.test(path));
  throw refusal(
    id,
    `it has no Parquet, JSON, JSONL or CSV file${others.length > 0 ? `, only ${list(others)}` : ''}`,
    lookElsewhere,
    'dataset_without_rows',
  );
}

/** Hidden files and descriptions are no rows of anybody's. */
function isMeant(path: string): boolean {
  return !/(^|\/)\./.test(path) && !DESCRIPTIONS.test(path) && !isProvenance(path);
}

/** They may be a part of a split: to train the rest alone would be to leave rows out without a word. */
function refuseUnread(id: string, listed: readonly string[]): void {
  const unread = listed.filter(
    (path) => UNREAD_ROWS.test(path) || (ROW_FILE.test(path) && !isDataPath(path) && isMeant(path)),
  );
  if (unread.length === 0) return;
  throw refusal(
    id,
    `it also has rows in files that are not read: ${list(unread)}`,
    'name the Parquet, JSON, JSONL or CSV files that are meant in data_files',
    'dataset_files_unread',
  );
}

/** Files of several kinds are mostly the same rows twice. */
function ofOneKind(id: string, files: readonly string[]): string[] {
  const kinds = new Set(files.map((path) => path.slice(path.lastIndexOf('.')).toLowerCase()));
  if (kinds.size > 1) {
    throw refusal(
      id,
      `its files are of several kinds: ${list(files)}`,
      'name the ones that are meant in data_files',
      'dataset_kinds',
    );
  }
  if (files.length <= MOST_FILES) return [...files];
  throw refusal(
    id,
    `that are ${files.length} files, more than ${MOST_FILES}`,
    'name some of them in data_files',
    'dataset_too_many_files',
  );
}

function list(names: readonly string[]): string {
  const shown = names.slice(0, 12).join(', ') || 'none';
  return names.length > 12 ? `${shown} and ${names.length - 12} more` : shown;
}

function refusal(id: string, what: string, next: string, code: string): UserError {
  return new UserError({ what: `the data set ${id}: ${what}`, where: id, next, code });
}
