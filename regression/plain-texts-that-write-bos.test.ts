// A plain text that begins with the BOS its tokenizer adds, as one that a chat template rendered does, was trained with two of them.
import { expect, test } from 'vitest';
import { encode } from '../packages/core/src/datasets/encode.ts';
import { byteTokenizer } from '../packages/core/test/byteTokenizer.ts';

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
