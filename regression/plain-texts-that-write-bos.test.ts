// A plain text that begins with the BOS its tokenizer adds, as one that a chat template rendered does, was trained with two of them.
// Later what was shown of its tokens stood one token further on.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { encode } from '../packages/core/src/datasets/encode.ts';
import { openInspectedFile } from '../packages/core/src/datasets/inspect.ts';
import { byteTokenizer } from '../packages/core/test/byteTokenizer.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test('BOS and EOS stand there once', async () => {
  const tokenizer = byteTokenizer();
  const texts = ['Hi', '<s>Hi', 'Hi<|im_end|>', '<s>Hi<|im_end|>'];
  const rows = texts.map((text) => ({ kind: 'text' as const, text, turns: [], supervised: [], leftOut: [] }));
  const encoded = await encode(tokenizer, rows);
  const [bos, eos] = [tokenizer.bos?.id, tokenizer.eos?.id];
  const expected = [bos, ...[...Buffer.from('Hi')].map((byte) => 4 + byte), eos];
  for (const row of encoded) {
    if ('kind' in row) throw new Error(JSON.stringify(row));
    expect([...row.ids]).toEqual(expected);
    expect(row.lossMask.every((each) => each === 1) && row.lossMask.length).toBe(expected.length);
  }
});

test('each token is shown where it stands', async () => {
  const path = join(temporaryFolder(), 'rows.txt');
  writeFileSync(path, '<s>Hi\n');
  const mask = { rolesToTrain: [], trainOnEos: 'turn' } as const;
  const dataset = { files: [path], type: 'completion', fields: {}, mask, weight: 1 };
  const options = { tokenizer: byteTokenizer(), renderer: null, sequenceLen: 128, excessLength: 'drop' } as const;
  const file = await openInspectedFile(path, dataset, options);
  const [row] = await file.page(0, 1);
  await file.close();
  expect(row?.tokens?.map(({ start, end }) => row.text?.slice(start, end))).toEqual(['<s>', 'H', 'i', '']);
});
