/** An added token with an empty text took the place of the vocabulary's token with its id: that was decoded to nothing. Found by fuzzing. */
import { expect, test } from 'vitest';
import { libraryCodec } from '../packages/core/src/tokenizers/libraryCodec.ts';
import { openTokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';
import { byteTokenizerJson } from '../packages/core/test/byteTokenizer.ts';

test('an added token without a text is none, as in the library', async () => {
  const json = byteTokenizerJson();
  const [first, ...rest] = json['added_tokens'] as object[];
  const tokenizerJson = { ...json, added_tokens: [{ ...first, content: '' }, ...rest] };
  const tokenizer = openTokenizer({ tokenizerJson, tokenizerConfig: {} });
  const { ids } = await tokenizer.encodeWithSpecial('a');
  const library = libraryCodec(tokenizerJson, tokenizer.addedTokens, 'tokenizer.json');
  expect(await library.decode(ids, false)).toBe('<s>a');
  expect(await tokenizer.decode(ids)).toBe('<s>a');
  expect(await tokenizer.decode(ids, { skipSpecial: true })).toBe(await library.decode(ids, true));
});
