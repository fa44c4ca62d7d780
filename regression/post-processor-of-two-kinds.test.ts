/** The tokenizers library takes a post-processor with a template for one, whatever its type says: ours left its tokens out. Found by fuzzing. */
import { expect, test } from 'vitest';
import { openTokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';
import { byteTokenizerJson } from '../packages/core/test/byteTokenizer.ts';

test('a template under the name of ByteLevel puts its tokens around the text', async () => {
  const json = byteTokenizerJson();
  const processor = { ...(json['post_processor'] as object), type: 'ByteLevel' };
  const tokenizer = openTokenizer({ tokenizerJson: { ...json, post_processor: processor }, tokenizerConfig: {} });
  const { ids } = await tokenizer.encodeWithSpecial('a');
  expect([...ids].map((id) => tokenizer.tokenText(id))).toEqual(['<s>', 'a']);
});
