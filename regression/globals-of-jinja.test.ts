// `cycler` and `joiner` were undefined, and `self`, `lipsum` and what a macro says of itself printed nothing.
// The texts on the right are those of Jinja 3.1.
import { expect, test } from 'vitest';
import { openTemplate } from '../packages/core/src/templates/template.ts';

const messages = ['a', 'b', 'c'].map((content) => ({ role: 'user', content }));
const rendered = (source: string): string => openTemplate(source, {}).render(messages);

test.each([
  [
    "{% set c = cycler('x', 'y') %}{% for m in messages %}{{ c.next() + c.current ~ c.pos }} {% endfor %}",
    'xy1 yx0 xy1 ',
  ],
  ["{% set c = cycler('x', 'y') %}{{ c.next() }}{{ c.reset() }}{{ c.next() }}", 'xNonex'],
  ['{% set j = joiner() %}{% for m in messages %}{{ j() + m.content }}{% endfor %}', 'a, b, c'],
  ["{% set j = joiner(sep=' | ') %}{% for m in messages %}{{ j() + m.content }}{% endfor %}", 'a | b | c'],
  ["{% if cycler is defined and joiner is defined %}{{ 'both' }}{% endif %}", 'both'],
  [
    "{% set schema = {'items': {'type': 'string'}} %}{{ schema.items.type is defined or schema.items.type == 'string' }}",
    'False',
  ],
  ["{% set self = 'q' %}{% macro lipsum() %}w{% endmacro %}{{ self + lipsum() }}", 'qw'],
])('%s', (source, text) => {
  expect(rendered(source)).toBe(text);
});

test.each([
  ['{{ self }}', /'self' is not known/],
  ['{% if lipsum is defined %}x{% endif %}', /'lipsum' is not known/],
  ['{{ super() }}', /'super' is not known/],
  ['{{ cycler }}', /function/],
  ["{{ cycler('a') }}", /function/],
  ['{{ cycler() }}', /at least one item/],
  ["{{ joiner(', ', 1) }}", /joiner\(\) is known with 1 argument/],
  ['{% macro m(a) %}{% endmacro %}{{ m.name }}', /'name' of a function is not known/],
])('%s is refused', (source, reason) => {
  expect(() => rendered(source)).toThrow(reason);
});
