/** A byte-level tokenizer whose file says byte_fallback: true was taken for SentencePiece, and refused when exported to GGUF. */
import { expect, test } from 'vitest';
import { tokenizerToGguf } from '../packages/formats/src/gguf/tokenizer.ts';

const exported = (byteFallback: boolean) =>
  tokenizerToGguf({
    tokenizerJson: {
      added_tokens: [],
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      model: { type: 'BPE', byte_fallback: byteFallback, vocab: { a: 0, b: 1, ab: 2 }, merges: [['a', 'b']] },
    },
    tokenizerConfig: {},
    vocabSize: 3,
    path: 'model',
  });

test('what splits text into bytes is byte-level, whatever byte_fallback says', () => {
  expect(exported(true)).toEqual(exported(false));
  expect(exported(true).get('tokenizer.ggml.model')?.value).toBe('gpt2');
});
