/**
 * A template that does work without end was tried on seventeen small conversations before a row was read, each until its work was used
 * up, and then on every row: `anneal inspect` of one row took many seconds, of a thousand many minutes.
 */
import { openChatRenderer, renderMessages } from '@anneal/core/datasets/chatRenderer';
import { openTokenizer } from '@anneal/core/tokenizers/tokenizer';
import { UserError } from '@anneal/formats/errors';
import { expect, test } from 'vitest';
import { byteTokenizerJson } from '../packages/core/test/byteTokenizer.ts';

const tokenizer = openTokenizer({ tokenizerJson: byteTokenizerJson(), tokenizerConfig: {} });
const chat = (messages: string): string =>
  `{% for m in messages %}<|im_start|>{{ m.role }}\n{{ ${messages} }}<|im_end|>\n{% endfor %}`;
const endless = '{% set r = range(99999) %}{% for a in r %}{% for b in r %}{% endfor %}{% endfor %}';
const question = (content: string) => [{ role: 'user', content }];

test.each([
  ['loops', `${endless}${chat('m.content')}`, 'the template needs more than'],
  [
    'work for calls alone',
    `{% if messages[1].tool_calls %}${endless}{% endif %}${chat('m.content')}`,
    'the template needs more than',
  ],
  ['a long text', `{% set x = "a" * 99999999 %}${chat('m.content')}`, 'a value of the template grew beyond'],
])('a template without end is refused at the first trial: %s', (_, source, reason) => {
  let error: unknown;
  try {
    openChatRenderer(tokenizer, { source });
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(UserError);
  expect(error).toMatchObject({ code: 'template_invalid', what: expect.stringContaining(reason) });
});

test('one that only a long row takes too far is used for all others', () => {
  const squares = openChatRenderer(tokenizer, { source: chat('m.content * (m.content | length)') });
  expect(renderMessages(squares, { tools: null }, question('abc'))).toMatchObject({
    text: '<|im_start|>user\nabcabcabc<|im_end|>\n',
  });
  expect(renderMessages(squares, { tools: null }, question('a'.repeat(9999)))).toBeInstanceOf(Error);
});
