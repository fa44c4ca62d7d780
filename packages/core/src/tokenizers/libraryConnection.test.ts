import type { JsonObject } from '@anneal/formats/json';
import { expect, test } from 'vitest';
import { openTokenizer } from './tokenizer.ts';

/** Only the library reads it. */
function wordTokenizer(word: string, id: number) {
  const vocab = {
    '[UNK]': 0,
    ...Object.fromEntries(Array.from({ length: id - 1 }, (_, i) => [`-${i}`, i + 1])),
    [word]: id,
  };
  const tokenizerJson: JsonObject = {
    version: '1.0',
    added_tokens: [],
    pre_tokenizer: { type: 'Whitespace' },
    model: { type: 'WordLevel', unk_token: '[UNK]', vocab },
  };
  return openTokenizer({ tokenizerJson, tokenizerConfig: {} });
}

test('more tokenizers than processes: each is asked its own', async () => {
  const tokenizers = Array.from({ length: 9 }, (_, i) => wordTokenizer(`w${i}`, i + 1));
  for (let round = 0; round < 2; round++) {
    const asked = tokenizers.map(async (tokenizer, i) => {
      const [first, again] = await Promise.all([tokenizer.encode(`w${i}`), tokenizer.encode(`w${i} w${i}`)]);
      return [...first.ids, ...again.ids];
    });
    expect(await Promise.all(asked)).toEqual(tokenizers.map((_, i) => [i + 1, i + 1, i + 1]));
  }
  for (const [i, tokenizer] of tokenizers.entries())
    expect([...(await tokenizer.encode(`w${i}`)).ids]).toEqual([i + 1]);
});
