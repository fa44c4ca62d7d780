/** llama.cpp's converters write -1, 4294967295 in a GGUF, for a padding token that a model has not; the whole tokenizer was refused. */
import type { GgufValue } from '@anneal/formats/gguf/metadata';
import { tokenizerFromGguf, tokenizerToGguf } from '@anneal/formats/gguf/tokenizer';
import { expect, test } from 'vitest';

const ids: GgufValue = { type: 'uint32', value: 0xffff_ffff };

function withId(key: string, value: GgufValue) {
  const vocab = Object.fromEntries([...'abcdefgh'].map((letter, id) => [letter, id]));
  const metadata = tokenizerToGguf({
    tokenizerJson: {
      added_tokens: [{ id: 8, content: '<end>', special: true }],
      normalizer: null,
      pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
      model: { type: 'BPE', vocab: { ...vocab, '<end>': 8 }, merges: [] },
    },
    tokenizerConfig: { eos_token: '<end>', pad_token: '<end>' },
    vocabSize: 9,
    path: 'model',
  });
  return tokenizerFromGguf(new Map([...metadata, [key, value]]), 'model.gguf');
}

test.each(['padding', 'bos', 'unknown'])('no %s token', (name) => {
  const { tokenizerConfig } = withId(`tokenizer.ggml.${name}_token_id`, ids);
  expect(tokenizerConfig).toMatchObject({ eos_token: '<end>' });
  expect(tokenizerConfig[`${{ padding: 'pad', unknown: 'unk' }[name] ?? name}_token`] ?? null).toBeNull();
});

test('another that is beyond the vocabulary is refused as before', () => {
  expect(() => withId('tokenizer.ggml.padding_token_id', { type: 'uint32', value: 9 })).toThrow('is 9 of 9');
});
