import { type Dirent, existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from '@anneal/formats/errors';
import { adviceForTable, unpackerOf } from './fileContent.ts';

export const DATA_EXTENSIONS = ['.jsonl', '.ndjson', '.json', '.csv', '.tsv', '.parquet', '.txt'] as const;

/**
 * The data files that a recipe's `path` stands for: the file itself, or those of the folder, by name.
 * @param only names within the folder, @param split the split they belong to, or the beginning of their names
 * @throws UserError `folder_of_splits` for a folder whose names tell training from measuring, when nothing says which is meant
 */
export function listDataFiles(
  path: string,
  { only, split }: { only?: readonly string[] | null; split?: string | null } = {},
): string[] {
  if (!existsSync(path)) {
    throw new UserError({
      what: 'no such data file or folder',
      where: path,
      next: 'check the path; a relative one starts at the recipe',
      code: 'file_not_found',
    });
  }
  if (!statSync(path).isDirectory()) {
    if (!split) return [path];
    throw new UserError({
      what: '`split` chooses among the files of a folder, and this is one file',
      where: path,
      next: 'remove split, or name the folder',
      code: 'split_of_a_file',
    });
  }
  const all = readdirSync(path);
  if (!only) refuseUnread(path, all);
  const names = only ?? all.filter(isDataFile);
  const files = names.filter((name) => !split || isOfSplit(name, split)).toSorted();
  if (files.length === 0) {
    throw new UserError({
      what: split ? `the folder has no data file of the split '${split}'` : 'the folder has no data files',
      where: path,
      next: nextForNone(path, split),
      code: 'data_empty',
    });
  }
  if (!only) refuseTextBesideRows(path, files);
  if (!only && !split) refuseSplits(path, files);
  return files.map((name) => join(path, name));
}

/** The hubs keep data in a folder below that of the data set, or a folder for each split. */
function nextForNone(path: string, split: string | null | undefined): string {
  if (existsSync(join(path, 'dataset_dict.json'))) return `the rows are in files of Arrow: ${adviceForTable('.arrow')}`;
  const [first, ...others] = foldersWithData(path).toSorted(
    (a, b) => Number(splitOf(b) === 'train') - Number(splitOf(a) === 'train'),
  );
  if (first === undefined || split) {
    return `put files ending in ${DATA_EXTENSIONS.join(' ')} there, or correct data_files and split`;
  }
  const rest = others.length > 0 ? `; there are data files in ${others.slice(0, 8).join(', ')} as well` : '';
  return `folders within it are not read: set path to ${join(path, first)}${rest}`;
}

/** Folders within one, down to `data/en/train`: for advice, so that one that cannot be read is left out. */
function foldersWithData(path: string, depth = 3): string[] {
  return entriesOf(path)
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => {
      const folder = join(path, name);
      const deeper = depth > 1 ? foldersWithData(folder, depth - 1).map((found) => join(name, found)) : [];
      return entriesOf(folder).some((entry) => isDataFile(entry.name)) ? [name, ...deeper] : deeper;
    });
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Descriptions that Hugging Face's datasets library writes beside the rows. */
const DESCRIPTIONS = ['dataset_infos.json', 'dataset_info.json', 'dataset_dict.json', 'state.json'];

/** What other programs keep beside data in hidden files (`._rows.jsonl` of macOS) is none. */
export function isDataFile(name: string): boolean {
  if (name.startsWith('.') || DESCRIPTIONS.includes(name)) return false;
  return DATA_EXTENSIONS.some((extension) => name.toLowerCase().endsWith(extension));
}

const SPLITS: Readonly<Record<string, string>> = {
  train: 'train',
  training: 'train',
  validation: 'validation',
  valid: 'validation',
  val: 'validation',
  dev: 'validation',
  eval: 'validation',
  evaluation: 'validation',
  test: 'test',
  testing: 'test',
};

/** The split that a file's name tells of, such as `train-00000-of-00001.parquet`, `my_dev.jsonl`, `TestSet.csv`; null for none. */
function splitOf(name: string): string | null {
  const words = name
    .replaceAll(/(?<=[a-z])(?=[A-Z])/g, '_')
    .toLowerCase()
    .split(/[^a-z]+/)
    .map((word) => word.replace(/(?:set|data|split)s?$/, ''));
  const word = words.find((candidate) => Object.hasOwn(SPLITS, candidate));
  return word === undefined ? null : (SPLITS[word] as string);
}

const isOfSplit = (name: string, split: string): boolean =>
  name.startsWith(split) || (Object.hasOwn(SPLITS, split.toLowerCase()) && splitOf(name) === splitOf(split));

/** Rows in `rows.jsonl.gz` or `rows.arrow` beside other files would be passed over in silence. */
function refuseUnread(path: string, names: readonly string[]): void {
  const refuse = (what: string, name: string, next: string): UserError =>
    new UserError({
      what: `the folder holds ${what}, which are not read: ${name}`,
      where: path,
      next: `${next}, or name the files to train on in data_files`,
      code: 'data_not_text',
    });
  for (const name of names.filter((each) => !each.startsWith('.'))) {
    const command = unpackerOf(name);
    if (command && isDataFile(name.replace(/\.[^.]*$/, '')))
      throw refuse('compressed rows', name, `unpack them first (${command})`);
    const advice = adviceForTable(name);
    if (advice) throw refuse('rows of another format', name, advice);
  }
}

/** A README.txt beside the rows would be trained as if it were one of them. */
function refuseTextBesideRows(path: string, names: readonly string[]): void {
  const texts = names.filter((name) => /\.txt$/i.test(name));
  const [rows] = names.filter((name) => !texts.includes(name));
  if (texts.length === 0 || rows === undefined) return;
  throw new UserError({
    what: `the folder holds rows (${rows}) and plain text (${texts.slice(0, 8).join(', ')}), all of which would be trained`,
    where: path,
    next: 'name the files to train on in data_files, or move the others away',
    code: 'folder_of_kinds',
  });
}

/** What was set aside for measuring must not be trained because it lies in the same folder. */
function refuseSplits(path: string, names: readonly string[]): void {
  const found = [...new Set(names.map(splitOf))];
  if (found.length < 2) return;
  const splits = found.filter((split) => split !== null);
  const measured = splits.filter((split) => split !== 'train');
  const shown = names.length > 8 ? `${names.slice(0, 8).join(', ')} and ${names.length - 8} more` : names.join(', ');
  throw new UserError({
    what: `the folder holds files to train on and files to measure on: ${shown}`,
    where: path,
    next: splits.includes('train')
      ? `set split: train${measured.length > 0 ? `, and to measure on the others the same path with split: ${measured[0]} in test_datasets` : ''}; or name the files in data_files`
      : `name the files to train on in data_files${measured.length > 0 ? `, and for test_datasets set split: ${measured[0]}` : ''}`,
    code: 'folder_of_splits',
  });
}
