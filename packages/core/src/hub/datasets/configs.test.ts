import { expect, test } from 'vitest';
import { configsOf } from './configs.ts';
import { matchesGlob } from './glob.ts';
import { selectDataFiles } from './select.ts';

const asks = (more: object = {}) => ({ revision: null, name: null, split: null, dataFiles: null, ...more });

function splitsIn(paths: string[], card?: string): Record<string, Record<string, readonly string[]>> {
  return Object.fromEntries(configsOf(paths, card).map(({ name, splits }) => [name, Object.fromEntries(splits)]));
}

test.each([
  ['data/train-*', 'data/train-00000-of-00002.parquet', true],
  ['data/train-*', 'data/more/train-1.parquet', false],
  ['**/train[0-9]?.csv', 'a/b/train12.csv', true],
  ['[0-9].csv', '-.csv', false],
  ['**', 'a/b/c.csv', true],
  ['**/x.csv', 'x.csv', true],
  ['a/[!b]/*.json', 'a/b/x.json', false],
  ['*.json', 'x.jsonl', false],
])('%s on %s: %s', (pattern, path, expected) => {
  expect(matchesGlob(path, pattern)).toBe(expected);
});

test('a pattern of many stars takes no time', () => {
  expect(matchesGlob('a'.repeat(3000), '*a'.repeat(1000).concat('b'))).toBe(false);
});

test.each<[string, string[], Record<string, readonly string[]>]>([
  [
    'shards, under any name',
    ['data/gold-00000-of-00001.parquet', 'x.csv'],
    { gold: ['data/gold-00000-of-00001.parquet'] },
  ],
  ['words in folders', ['train/a.csv', 'my-eval/b.csv'], { train: ['train/a.csv'], test: ['my-eval/b.csv'] }],
  [
    'words in names',
    ['rows_train.csv', 'dev.csv', 'trained.csv'],
    { validation: ['dev.csv'], train: ['rows_train.csv'] },
  ],
  ['nothing at all', ['a.csv', 'sub/b.csv'], { train: ['a.csv', 'sub/b.csv'] }],
])('splits by names: %s', (_, paths, expected) => {
  expect(splitsIn(paths).default).toEqual(expected);
});

test('the README decides where it names subsets, and is left where it cannot be read', () => {
  const paths = ['en/a.jsonl', 'en/b.jsonl', 'de/a.jsonl', 'x/train.jsonl', 'x/test.jsonl'];
  const card = `---
configs:
- config_name: en
  default: true
  data_files:
  - split: train
    path: ["en/a*", "en/nothing.jsonl"]
  - {split: held_out, path: en/b.jsonl}
- config_name: de
  data_files: de/*.jsonl
- {config_name: x, data_dir: x}
---
# A data set`;
  expect(splitsIn(paths, card)).toEqual({
    en: { train: ['en/a.jsonl'], held_out: ['en/b.jsonl'] },
    de: { train: ['de/a.jsonl'] },
    x: { train: ['x/train.jsonl'], test: ['x/test.jsonl'] },
  });
  expect(selectDataFiles('a/b', paths, card, asks({ split: 'held_out' }))).toEqual(['en/b.jsonl']);
  for (const broken of ['---\n: [\n---\n', '---\nconfigs: 3\n---\n', 'no YAML'])
    expect(splitsIn(['a.csv'], broken)).toEqual({ default: { train: ['a.csv'] } });
});

test('what the hub converted lies by subset and split', () => {
  const paths = ['main/train/0000.parquet', 'main/train/0001.parquet', 'extra/partial-train/0000.parquet'];
  expect(selectDataFiles('a/b', paths, undefined, asks({ name: 'main' }))).toEqual(paths.slice(0, 2));
});

test.each<[string, string[], object, string, RegExp]>([
  ['several splits', ['train.csv', 'test.csv'], {}, 'dataset_split_needed', /split: train, test/],
  ['no such split', ['train.csv'], { split: 'dev' }, 'dataset_split_unknown', /splits are: train/],
  ['a slice', ['train.csv'], { split: 'train[:10%]' }, 'dataset_split_slice', /max_samples/],
  ['no such subset', ['train.csv'], { name: 'en' }, 'dataset_name_unknown', /subsets are: default/],
  ['subsets without a default', ['a/train/0000.parquet', 'b/train/0000.parquet'], {}, 'dataset_name_needed', /a, b/],
  ['a script', ['b.py', 'x.zip'], {}, 'dataset_script', /refs\/convert\/parquet/],
  ['other kinds only', ['x.arrow', 'README.md'], {}, 'dataset_without_rows', /refs\/convert\/parquet/],
  ['two kinds', ['a.csv', 'a.parquet'], {}, 'dataset_kinds', /data_files/],
  [
    'rows that are not read',
    ['train.jsonl', 'train-2.jsonl.gz'],
    {},
    'dataset_files_unread',
    /train-2\.jsonl\.gz|data_files/,
  ],
  ['a file that is not there', ['a.csv'], { dataFiles: ['b.csv'] }, 'dataset_file_not_found', /a\.csv/],
  ['files and a split', ['a.csv'], { dataFiles: ['a.csv'], split: 'test' }, 'dataset_selection', /leave out/],
])('refused: %s', (_, paths, more, code, next) => {
  const select = () => selectDataFiles('a/b', paths, undefined, asks(more));
  expect(select).toThrow(expect.objectContaining({ code, next: expect.stringMatching(next) }));
});

test.each(['../x.csv', 'a/../../x.csv', '/etc/x.csv', '.hidden.csv', 'a//x.csv', 'a\\x.csv', 'x.csv.py', 'a\n.csv'])(
  'a file called %j is not fetched',
  (path) => {
    expect(() => selectDataFiles('a/b', [path], undefined, asks({ dataFiles: ['**'] }))).toThrow(
      expect.objectContaining({ code: 'dataset_file_not_found' }),
    );
  },
);
