/** Hidden files in a folder of data (`._rows.jsonl`, which macOS leaves) were read as rows and refused. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { listDataFiles } from '../packages/core/src/datasets/dataFiles.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test('a folder stands for its files that are not hidden', () => {
  const folder = join(temporaryFolder(), 'data');
  mkdirSync(folder);
  for (const name of ['b.jsonl', 'a.json', '._a.json', '.rows.jsonl', 'notes.md'])
    writeFileSync(join(folder, name), '');
  expect(listDataFiles(folder)).toEqual([join(folder, 'a.json'), join(folder, 'b.jsonl')]);
  expect(listDataFiles(folder, { only: ['.rows.jsonl'] })).toEqual([join(folder, '.rows.jsonl')]);
});
