/** OpenAI's arguments are JSON text: templates that apply `tojson` printed them as a text within quotes. */
import { expect, test } from 'vitest';
import { inCallForm } from '../packages/core/src/datasets/callForm.ts';
import { openChatRenderer } from '../packages/core/src/datasets/chatRenderer.ts';
import type { Message } from '../packages/core/src/datasets/types.ts';
import type { Tokenizer } from '../packages/core/src/tokenizers/tokenizer.ts';

const tokenizer = { chatTemplate: null, bos: null, eos: null, pad: null, unk: null, addedTokens: [] };

/** What a template that prints calls so makes of a call with these arguments. */
function printed(call: string, given: unknown, content: string | null = null): string {
  const source = `{% for m in messages %}{% if m.tool_calls %}{% for c in m.tool_calls %}${call}{% endfor %}{% else %}{{ m.content }}{% endif %}{% endfor %}`;
  const renderer = openChatRenderer(tokenizer as unknown as Tokenizer, { source });
  const answer = { role: 'assistant', content, tool_calls: [{ function: { name: 'f', arguments: given } }] };
  const messages = inCallForm([{ role: 'user', content: 'a' }, answer as unknown as Message], renderer.callForm);
  return renderer.template.render(messages).slice(1);
}

const object = { city: 'Lyon', day: 2 };
const text = '{"city":"Lyon","day":2}';

test.each([
  ['{{ c.function.arguments | tojson }}', '{"city": "Lyon", "day": 2}', '{"city": "Lyon", "day": 2}'],
  [
    '{% for k, v in c.function.arguments.items() %}{{ k }}={{ v }};{% endfor %}',
    'city=Lyon;day=2;',
    'city=Lyon;day=2;',
  ],
  [
    '{% if c.function.arguments is string %}{{ c.function.arguments }}{% else %}{{ c.function.arguments | tojson }}{% endif %}',
    '{"city": "Lyon", "day": 2}',
    '{"city": "Lyon", "day": 2}',
  ],
  ["{{ 'call ' + c.function.arguments }}", 'call {"city": "Lyon", "day": 2}', `call ${text}`],
  ['{{ c.function.arguments }}', '{"city": "Lyon", "day": 2}', text],
])('%s', (call, ofObject, ofText) => {
  expect(printed(call, object)).toBe(ofObject);
  expect(printed(call, text)).toBe(ofText);
});

test('no arguments at all', () => {
  expect(printed('{{ c.function.arguments | tojson }}', {})).toBe('{}');
});

test('a content of null stays null for templates that ask, and is empty for those that print it', () => {
  const asks = '{% if m.content is none %}none{% else %}text{% endif %}{{ c.function.arguments | tojson }}';
  expect(printed(asks, {})).toBe('none{}');
  expect(printed(asks, {}, '')).toBe('text{}');
  expect(printed("{{ m.content + '|' }}{{ c.function.arguments | tojson }}", {})).toBe('|{}');
  expect(printed('{{ m.content }}|{{ c.function.arguments | tojson }}', {})).toBe('|{}');
});

test('a template that prints calls only beside a content of null, as DeepSeek-R1 does, is given one', () => {
  const asks =
    "{% if m.content is none %}{{ c.function.name + ' ' + c.function.arguments }}{% else %}{{ m.content }}{% endif %}";
  for (const content of [null, '']) expect(printed(asks, text, content)).toBe(`f ${text}`);
  expect(printed(asks, object, '')).toBe('f {"city": "Lyon", "day": 2}');
});
