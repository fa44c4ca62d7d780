/** With a million added tokens `inspect` and `chat` took more than two minutes: at each character of a text each token was tried. */
import { expect, test } from 'vitest';
import { AddedTokens } from '../packages/core/src/tokenizers/byteLevel/addedTokens.ts';

test('are found in a long text', () => {
  const count = 200_000;
  const tokens = AddedTokens.from(Array.from({ length: count }, (_, id) => ({ id, content: `<${id}>` })));
  const text = '<a> <12 <199999> <7>'.repeat(20_000);
  const found: (number | null)[] = [];
  tokens?.split(text, (_start, _end, id) => found.push(id));
  expect(found.length).toBe(4 * 20_000);
  expect(found.slice(0, 4)).toEqual([null, 199_999, null, 7]);
});
