/** One row with a mistake among the first kept the form of the data set from being found, and with it every other row. */
import { expect, test } from 'vitest';
import { detectFormat } from '../packages/core/src/datasets/formats/index.ts';

const user = { role: 'user', content: 'hi' };

test.each([
  ['chat_template', { messages: [user] }, { messages: [{ content: 'hi' }] }, 'bad_roles'],
  ['sharegpt', { conversations: [{ from: 'human', value: 'hi' }] }, { conversations: [{ value: 'x' }] }, 'bad_roles'],
  ['alpaca', { instruction: 'a', output: 'b' }, { instruction: 'a', output: null }, 'empty'],
  ['completion', { text: 'a', n: 1 }, { text: 5, n: 1 }, 'malformed_row'],
])('%s', (name, good, bad, reason) => {
  const reader = detectFormat([bad, good, good]);
  expect(reader?.format).toBe(name);
  expect(reader?.read(bad)).toMatchObject({ reason });
  expect(detectFormat([bad, bad, bad, good])).toBeNull();
});
