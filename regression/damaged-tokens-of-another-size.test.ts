/**
 * Tokens of a run with a hole of 200 GB in them were hashed to the end before they were refused, and no stop was heeded
 * meanwhile; so were the files beside them, and the manifest was read into memory.
 */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChatRenderer } from '@anneal/core/datasets/chatRenderer';
import { prepareData } from '@anneal/core/datasets/prepareData';
import { expect, test } from 'vitest';
import { byteTokenizer } from '../packages/core/test/byteTokenizer.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const tokenizer = byteTokenizer();

test.each([
  ['tokens.bin', /tokens.bin has 200000000000 bytes/],
  ['rows.bin', /rows.bin has 200000000000 bytes/],
  ['dropped.jsonl', /dropped.jsonl has 200000000000 bytes/],
  ['manifest.json', /manifest.json cannot be read \(200000000000 bytes, more than/],
])('%s of another size than was written is refused at once', async (name, message) => {
  const [path, folder] = [join(temporaryFolder(), 'rows.jsonl'), temporaryFolder()];
  writeFileSync(path, '{"text":"a"}\n{"text":"b"}\n');
  const prepare = () =>
    prepareData({
      datasets: [
        {
          files: [path],
          type: 'auto',
          fields: {},
          mask: { rolesToTrain: ['assistant'], trainOnEos: 'turn' },
          weight: 1,
        },
      ],
      tokenizer,
      renderer: openChatRenderer(tokenizer),
      sequenceLen: 128,
      excessLength: 'drop',
      deduplicate: false,
      validationSize: 0,
      seed: 1,
      folder,
    });
  (await prepare()).train.close();
  truncateSync(join(folder, name), 200e9);
  await expect(prepare()).rejects.toThrow(message);
});
