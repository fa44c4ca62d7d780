/** Two tokens of a vocabulary with one id: which one was decoded, the library left to chance, and so did we. Found by fuzzing. */
import { expect, test } from 'vitest';
import { openTokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';
import { byteTokenizerJson } from '../packages/core/test/byteTokenizer.ts';

test.each(['BPE', 'WordLevel'])('are refused, of whatever kind the tokenizer is (%s)', (type) => {
  const json = byteTokenizerJson();
  const { vocab, ...model } = json['model'] as { vocab: object };
  const tokenizerJson = { ...json, model: { ...model, type, vocab: { ...vocab, ab: 100 } } };
  expect(() => openTokenizer({ tokenizerJson, tokenizerConfig: {} })).toThrowError(
    expect.objectContaining({
      code: 'tokenizer_invalid',
      what: expect.stringMatching(/"." and "ab" both have the id 100$/),
    }),
  );
});
