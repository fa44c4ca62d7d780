// Templates that print `range(3)`, a method or what `map` gives got a list or `<function>` into the prompt without a word, an
// empty choice was false, and `a == b == c` compared a truth value with c. In transformers none of this is so.
import { expect, test } from 'vitest';
import { openTemplate } from '../packages/core/src/templates/template.ts';

const MESSAGES = [
  { role: 'user', content: 'Hello' },
  { role: 'assistant', content: 'World' },
];
const render = (source: string): string => openTemplate(source, {}).render(MESSAGES);

/** Each text was printed by Jinja 3.1. */
test.each([
  ["{{ 2 == 2 == True }} {{ 'a' == 'a' == 'a' }} {{ 1 != 2 != 1 }}", 'False True True'],
  ["{{ 1 < 2 == 2 }} {{ 3 in [3] == True }} {{ 'a' in 'abc' in ['abc'] }}", 'True False True'],
  ['{{ (1 < 2) < 2 }} {{ ((1 == 2)) == false }} {{ (1 == 1 and 3) in [3] }}', 'True True True'],
  ["{% for m in messages %}{{ (m.role == 'user') != (loop.index0 % 2 == 0) }} {% endfor %}", 'False False '],
  ["{% for m in messages %}{{ (m.role == 'user') != loop.index0 % 2 == 0 }} {% endfor %}", 'True False '],
  ["{{ 'some' if messages | selectattr('role', 'eq', 'tool') else 'none' }}", 'some'],
  ["{% set roles = messages | map(attribute='role') %}{{ roles | list }}{{ roles | list }}", "['user', 'assistant'][]"],
  ["{% set roles = messages | map(attribute='role') %}{{ roles | first }} {{ roles | first }}", 'user assistant'],
  ["{% set roles = messages | map(attribute='role') %}{{ 'user' in roles }} {{ 'user' in roles }}", 'True False'],
  ["{% set roles = messages | map(attribute='role') %}{% set a, b = roles %}{{ a }}{{ roles | list }}", 'user[]'],
  ["{% set roles = messages | map(attribute='role') %}{{ ','.join(roles) }}{{ roles | list }}", 'user,assistant[]'],
  ["{{ (messages | selectattr('role', 'eq', 'user'))[0] }}{{ messages[0].keys()[0] }}", ''],
  ['{{ range(3) == [0, 1, 2] }} {{ range(4)[1:] | list }} {{ range(3)[1] }}', 'False [1, 2, 3] 1'],
  ["{{ [{'items': 3}] | map(attribute='items') | list }} {{ messages.1.content.0 }}", '[3] W'],
  ['{{ messages.append is defined }}{{ messages.append }} {{ (1, 2) | list }}', 'False [1, 2]'],
])('%s', (source, expected) => {
  expect(render(source)).toBe(expected);
});

test.each([
  ['{{ range(3) }}', /prints a range/],
  ["{{ 'items: ' ~ messages[0].items() }}", /prints a dict_items/],
  ["{{ messages | map(attribute='role') }}", /prints a generator.*`\| list` behind it/],
  ['{{ messages[0].items }}', /prints a function.*call it/],
  ['{% for m in messages %}{{ loop }}{% endfor %}', /prints a function/],
  ['{{ range(3) | tojson }}', /Object of type range is not JSON serializable/],
  ["{{ messages | map(attribute='role') | length }}", /'generator' has no len\(\)/],
  ["{{ (messages | map(attribute='role')) + [1] }}", /generator/],
  ['{% macro f(x) %}{{ x }}{% endmacro %}{{ f(1, 2) }}', /takes not more than 1 argument/],
  ['{% macro f(x) %}{{ x }}{% endmacro %}{{ f(z=2) }}', /takes no keyword argument 'z'/],
])('%s is refused', (source, message) => {
  expect(() => render(source)).toThrow(message);
});
