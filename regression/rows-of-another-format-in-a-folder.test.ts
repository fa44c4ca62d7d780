/** Rows as Arrow or Excel write them, in a folder with JSONL, were passed over without a word; alone, nothing said how to convert them. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listDataFiles } from '../packages/core/src/datasets/dataFiles.ts';
import { openSource } from '../packages/core/src/datasets/read.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

function folderOf(...names: string[]): string {
  const folder = temporaryFolder();
  for (const name of names) writeFileSync(join(folder, name), 'x');
  return folder;
}

test.each([
  ['data-00000-of-00001.arrow', 'to_parquet'],
  ['Rows.XLSX', 'CSV'],
  ['rows.pkl', 'Parquet or JSONL'],
  ['rows.sqlite', 'Parquet or JSONL'],
])('%s', async (name, advice) => {
  const beside = folderOf('rows.jsonl', name);
  expect(() => listDataFiles(beside)).toThrow(
    expect.objectContaining({ what: expect.stringContaining(name), next: expect.stringContaining(advice) }),
  );
  expect(listDataFiles(beside, { only: ['rows.jsonl'] })).toEqual([join(beside, 'rows.jsonl')]);
  await expect(openSource(join(beside, name))).rejects.toMatchObject({ next: expect.stringContaining(advice) });
});

test('what is no rows may lie beside them', () => {
  const folder = folderOf(
    'rows.jsonl',
    'README.md',
    'LICENSE',
    'Thumbs.db',
    'make.py',
    'cover.png',
    '.~lock.rows.xlsx',
  );
  expect(listDataFiles(folder)).toEqual([join(folder, 'rows.jsonl')]);
});

test("a set of splits that Hugging Face's library saved", () => {
  expect(() => listDataFiles(folderOf('dataset_dict.json'))).toThrow(
    expect.objectContaining({ next: expect.stringContaining('to_parquet') }),
  );
});
