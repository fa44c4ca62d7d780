/** An integer beyond 2^53 in a template's own source lost digits, and `[1_000]` and `[1e3]` were a 1 and a name without a value. */
import { expect, test } from 'vitest';
import { openTemplate } from '../packages/core/src/templates/template.ts';

const render = (source: string): string => openTemplate(source, {}).render([]);

test.each([
  ['{{ 9007199254740993 }}', 'it writes 9007199254740993, an integer beyond 2^53'],
  ['{{ [-12345678901234567890] }}', 'it writes -12345678901234567890'],
  ['{{ [1_000, 2] }}', 'it writes 1_000: write the number in decimal digits alone'],
  ['{{ [1e3] }}', 'it writes 1e3'],
  ['{{ [0xff] }}', 'it writes 0xff'],
])('refuses %s, which the parser would read as another number', (source, message) => {
  expect(() => render(source)).toThrow(message);
});

test('reads the greatest integers, and such as stand in texts', () => {
  const text = '{{ 9007199254740991 }} {{ "9007199254740993" }} 9007199254740993 {# 1e3 #}{{ 1 if 0 else 2 }}';
  expect(render(text)).toBe('9007199254740991 9007199254740993 9007199254740993 2');
});
