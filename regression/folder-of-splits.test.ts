/** A folder with train, validation and test files was one training set: what was meant for measuring was trained. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { listDataFiles } from '../packages/core/src/datasets/dataFiles.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

function folderOf(...names: string[]): string {
  const folder = temporaryFolder();
  for (const name of names) writeFileSync(join(folder, name), '{"text": "a"}\n');
  return folder;
}

test.each([
  [['train.jsonl', 'validation.jsonl', 'test.jsonl']],
  [['train-00000-of-00002.parquet', 'train-00001-of-00002.parquet', 'test-00000-of-00001.parquet']],
  [['chats_train.json', 'chats_dev.json']],
  [['train_sft.jsonl', 'test_sft.jsonl']],
  [['TRAIN.csv', 'Eval.csv']],
  [['rows.jsonl', 'val.jsonl']],
  [['trainset.jsonl', 'testset.jsonl']],
  [['trainData.json', 'testData.json']],
])('%j is refused with the names of the files', (names) => {
  const folder = folderOf(...names);
  const refused = expect.objectContaining({ code: 'folder_of_splits', what: expect.stringContaining(names[0] ?? '') });
  expect(() => listDataFiles(folder)).toThrow(refused);
  expect(() => listDataFiles(folder, { split: 'train' })).not.toThrow(refused);
  expect(listDataFiles(folder, { only: names })).toHaveLength(names.length);
});

test('split: train takes the files of that split, wherever the name says it', () => {
  const folder = folderOf('chats_train.json', 'chats_dev.json', 'train-2.jsonl', 'testament.jsonl');
  const named = (split: string) => listDataFiles(folder, { split }).map((path) => basename(path));
  expect(named('train')).toEqual(['chats_train.json', 'train-2.jsonl']);
  expect(named('validation')).toEqual(['chats_dev.json']);
  expect(named('testament')).toEqual(['testament.jsonl']);
  expect(() => named('test')).not.toThrow(); // the beginning of a name is enough
});

test.each([
  [['a.jsonl', 'b.jsonl']],
  [['train-1.jsonl', 'training-2.jsonl']],
  [['test-1.jsonl', 'test-2.jsonl']],
  [['contest.jsonl', 'trainer.jsonl', 'latest.jsonl', 'offset.jsonl', 'latestData.jsonl']],
])('%j is one set', (names) => {
  expect(listDataFiles(folderOf(...names))).toHaveLength(names.length);
});

test('folders within it are not read, but named, that of the training rows first', () => {
  const folder = temporaryFolder();
  expect(() => listDataFiles(folder)).toThrow(expect.objectContaining({ next: expect.stringMatching(/^put files/) }));
  for (const split of ['test', 'train']) {
    mkdirSync(join(folder, split));
    writeFileSync(join(folder, split, 'rows.jsonl'), '{"text": "a"}\n');
  }
  expect(() => listDataFiles(folder)).toThrow(
    expect.objectContaining({
      code: 'data_empty',
      next: `folders within it are not read: set path to ${join(folder, 'train')}; there are data files in test as well`,
    }),
  );
});

test("descriptions that Hugging Face's library keeps beside the rows are none", () => {
  const folder = folderOf('train.jsonl', 'dataset_infos.json', 'state.json');
  expect(listDataFiles(folder).map((path) => basename(path))).toEqual(['train.jsonl']);
});

test('as are those within the folders', () => {
  const folder = temporaryFolder();
  for (const split of ['valid', 'train']) {
    mkdirSync(join(folder, 'data', split), { recursive: true });
    writeFileSync(join(folder, 'data', split, 'rows.jsonl'), '{"text": "a"}\n');
  }
  expect(() => listDataFiles(folder)).toThrow(
    expect.objectContaining({ next: expect.stringContaining(`set path to ${join(folder, 'data/train')}`) }),
  );
});
