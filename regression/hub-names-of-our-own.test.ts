/**
 * A repository with a `provenance.json` took the place of ours: `models check` called the model damaged forever, and a data
 * set's rows of that name were overwritten by ours. A list that named a file twice had it downloaded twice at once into one place.
 */
import { expect, test } from 'vitest';
import { selectDataFiles } from '../packages/core/src/hub/datasets/select.ts';
import { selectFiles } from '../packages/core/src/hub/selectFiles.ts';

const listed = ['config.json', 'provenance.json', 'model.safetensors', 'config.json', 'model.safetensors'];

test('a model brings each file once, and none of our own', () => {
  expect(selectFiles('a/b', listed)).toEqual(['config.json', 'model.safetensors']);
});

test('a data set brings each file once', () => {
  const wanted = { revision: null, name: null, split: null, dataFiles: null };
  expect(selectDataFiles('a/b', ['train.jsonl', 'provenance.json', 'train.jsonl'], undefined, wanted)).toEqual([
    'train.jsonl',
  ]);
});

test('rows under the name of our own file are refused', () => {
  const wanted = { revision: null, name: null, split: null, dataFiles: ['provenance.json'] };
  expect(() => selectDataFiles('a/b', ['provenance.json'], undefined, wanted)).toThrow(
    'it has no file with rows that is called provenance.json',
  );
});
