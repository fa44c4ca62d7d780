/**
 * A data file that was removed while a run prepared it was called a defect in Anneal; one that was changed meanwhile was recorded with a
 * hash of other rows than were trained.
 */
import { appendFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChatRenderer } from '@anneal/core/datasets/chatRenderer';
import { prepareData } from '@anneal/core/datasets/prepareData';
import { expect, test } from 'vitest';
import { byteTokenizer } from '../packages/core/test/byteTokenizer.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const tokenizer = byteTokenizer();

test.each([
  ['removed', (path: string) => rmSync(path)],
  ['appended to', (path: string) => appendFileSync(path, '{"text":"c"}\n')],
])('a file that is %s meanwhile', async (_, disturb) => {
  const path = join(temporaryFolder(), 'rows.jsonl');
  writeFileSync(path, '{"text":"a"}\n{"text":"b"}\n');
  const prepared = prepareData({
    datasets: [
      { files: [path], type: 'auto', fields: {}, mask: { rolesToTrain: ['assistant'], trainOnEos: 'turn' }, weight: 1 },
    ],
    tokenizer,
    renderer: openChatRenderer(tokenizer),
    sequenceLen: 128,
    excessLength: 'drop',
    deduplicate: false,
    validationSize: 0,
    seed: 1,
    folder: temporaryFolder(),
    onProgress: () => disturb(path),
  });
  await expect(prepared).rejects.toMatchObject({ code: 'file_changed', where: path });
});
