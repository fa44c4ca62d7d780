/** `messages[2.5:]` in a chat template was called a defect of Anneal, and `'abc'['x':]` sliced from the start. */
import { expect, test } from 'vitest';
import { openTemplate } from '../packages/core/src/templates/template.ts';

const render = (source: string) => openTemplate(source, {}).render([{ content: 'a' }, { content: 'b' }]);

test.each(['2.5:', ':0.5', '::1.5', "'x':", 'nothing:', ':[]'])('[%s] is refused as Python refuses it', (bounds) => {
  for (const object of ['messages', "'abc'"]) {
    expect(() => render(`{{ ${object}[${bounds}] }}`)).toThrow('slice indices must be integers or None');
  }
});

test('integers, booleans and None are bounds', () => {
  expect(render("{{ 'abc'[true:] }}{{ 'abc'[none:2] }}{{ 'abc'[::-1] }}")).toBe('bcabcba');
});
