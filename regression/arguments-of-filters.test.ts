/**
 * Arguments of filters and methods that the evaluator of chat templates does not know were left aside, and the prompt was another than in
 * transformers: dictsort's `reverse`, round's `ceil`, the base of int, trim's `chars`, where startswith begins. So were the case of
 * texts in dictsort and min, tuples were printed as lists, `'12abc' | int` was 12, and integers beyond 2^53 were rounded.
 */
import { expect, test } from 'vitest';
import { openTemplate } from '../packages/core/src/templates/template.ts';

const render = (source: string): string => openTemplate(source, {}).render([]);

/** Each text was printed by Jinja 3.1 in transformers' environment. */
test.each([
  ['{{ {"B": 1, "a": 2} | dictsort }}', "[('a', 2), ('B', 1)]"],
  ['{{ {"B": 1, "a": 2} | dictsort(true) }}', "[('B', 1), ('a', 2)]"],
  ['{{ {"B": 2, "a": 1} | dictsort(by="value") | map("first") | join }}', 'aB'],
  ['{{ {"B": 2, "a": 1} | dictsort(false, "key", reverse=true) | map("first") | join }}', 'Ba'],
  ['{{ ["B", "a"] | min }}{{ ["B", "a"] | min(case_sensitive=true) }}{{ ["B", "a"] | max }}', 'aBB'],
  ['{{ [{"r": "a", "n": 1}, {"r": "A", "n": 2}] | unique(attribute="r") | map(attribute="n") | join }}', '1'],
  ['{{ ["a", "A"] | unique(case_sensitive=true) | join }}', 'aA'],
  ['{{ [{"n": 1.0}, {"n": 2.0}] | sum(attribute="n") }} {{ [[1], [2]] | sum(start=[]) }}', '3.0 [1, 2]'],
  ['{{ "xxaxx" | trim("x") }}{{ "xbx" | trim(chars="x") }}', 'ab'],
  ['{{ 2.1 | round(0, "ceil") }} {{ 2.345 | round(2, "floor") }} {{ -1.0 | abs }}', '3.0 2.34 1.0'],
  [
    '{{ "12abc" | int }} {{ " -3 " | int }} {{ "4.7" | int }} {{ "1_000" | int }} {{ "x" | int(default=7) }}',
    '0 -3 4 1000 7',
  ],
  ['{{ "1234567890123456789" | int }} {{ "1e3" | float }} {{ "1e3x" | float(2) }}', '1234567890123456789 1000.0 2'],
  ['{{ "foo-bar they\'re x1y" | title }} {{ "they\'re x1y 中a".title() }}', "Foo-Bar They're X1y They'Re X1Y 中A"],
  ['{{ "a\u2028b\n" | indent(1) }}|', 'a\n b\n|'],
  ['{% macro m(a) %}{{ varargs }}{% endmacro %}{{ m(1) }}{{ m(1, 2) }}{{ m(1, 2, 3) }}', '()(2,)(2, 3)'],
  [
    '{{ (1, 2) }}{{ (1, 2) | tojson }}{{ (1, 2) == [1, 2] }}{{ {"a": 1}.items() | first }}',
    "(1, 2)[1, 2]False('a', 1)",
  ],
  ['{{ 2 ** -1 }} {{ 9007199254740990 + 1 }}', '0.5 9007199254740991'],
])('%s', (source, expected) => {
  expect(render(source)).toBe(expected);
});

test.each([
  '{{ "1f" | int(0, 16) }}',
  '{{ "a" | upper("x") }}',
  '{{ "a,b" | trim(character="a") }}',
  '{{ "ab".startswith("b", 1) }}',
  '{{ "ab".find("b", 0, 1) }}',
  '{{ "a\nb".splitlines(true) }}',
  '{{ [1] | join(",", d="-") }}',
  '{{ [{"a": 1}] | map(attribute="a", fallback=2) | list }}',
  '{{ [1] | selectattr("a", other=2) | list }}',
  '{{ {"a": 1}.get("a", default=1, more=2) }}',
  '{{ {1: "x"} }}',
  '{{ 9007199254740992 + 1 }}',
  '{{ 99999999999 * 99999999999 }}',
])('%s is refused', (source) => {
  expect(() => render(source)).toThrow();
});
