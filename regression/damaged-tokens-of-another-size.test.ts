/** Tokens of a run with a hole of 200 GB in them were hashed to the end before they were refused, and no stop was heeded meanwhile. */
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openChatRenderer } from '@anneal/core/datasets/chatRenderer';
import { prepareData } from '@anneal/core/datasets/prepareData';
import { expect, test } from 'vitest';
import { byteTokenizer } from '../packages/core/test/byteTokenizer.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

const tokenizer = byteTokenizer();

test('tokens of another size than the manifest says are refused at once', async () => {
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
  truncateSync(join(folder, 'tokens.bin'), 200e9);
  await expect(prepare()).rejects.toThrow(/tokens.bin has 200000000000 bytes/);
});
