/**
 * Jinja keeps the white space beside `{%+`, `+%}`, `{#+` and `+#}`. Templates with the first two were refused, and beside the others
 * indentation and line ends were stripped without a word. What is expected here is what transformers 5.17 prints.
 */
import { expect, it } from 'vitest';
import { openTemplate } from '../packages/core/src/templates/template.ts';

it.each([
  ['a\n  {%+ if true %}\nb{% endif %}', 'a\n  b'],
  ['{% if true +%}\nb{% endif +%}\nc', '\nb\nc'],
  ['{%- if true +%}\r\nb\r\n{%+ endif -%}\r\nc', '\nb\nc'],
  ['a\n\t{#+ c #}\nb', 'a\n\tb'],
  ['a {# c +#}\nb', 'a \nb'],
  ['a {#- c +#}\nb', 'a\nb'],
  ['{%+ for m in messages +%}\n  {%+ set x = 1 %}\n{{ m.role }}{% endfor %}', '\n  user'],
])('%j', (source, text) => {
  expect(openTemplate(source, {}).render([{ role: 'user', content: 'Hi' }])).toBe(text);
});

it('tells which message printed what all the same', () => {
  const source = '{%+ for m in messages +%}\n<{{ m.role }}>{{ m.content }}{%+ endfor +%}\n';
  const { text, messages } = openTemplate(source, {}).renderMessages([
    { role: 'user', content: 'Hi' },
    { role: 'assistant', content: 'Yo' },
  ]);
  expect(messages.map((range) => range && text.slice(range.start, range.end).trim())).toEqual([
    '<user>Hi',
    '<assistant>Yo',
  ]);
});
