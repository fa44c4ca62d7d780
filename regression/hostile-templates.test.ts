/**
 * Chat templates whose work was not charged for what it costs hung or filled the memory: equality, printing, sorting and other work on
 * long or shared values counted as one step, and what a rendering allocated was not counted at all.
 */
import { describe, expect, it, test } from 'vitest';
import { openTemplate, TemplateError } from '../packages/core/src/templates/template.ts';
import { expectBounded } from '../packages/core/test/templateBounds.ts';

const render = (source: string, content = ''): string => openTemplate(source, {}).render([{ role: 'user', content }]);
const shared =
  '{% set ns=namespace(x=[1],y=[1]) %}{% for i in range(45) %}{% set ns.x=[ns.x,ns.x] %}{% set ns.y=[ns.y,ns.y] %}{% endfor %}';
const long = "{% set a='a'*16000000 %}";
const often = (body: string): string =>
  `{% for i in range(99999) %}{% for j in range(99) %}${body}{% endfor %}{% endfor %}`;
const ofOneLength = (body: string): string =>
  `{% set ns=namespace(l=[]) %}{% for i in range(10000, 17000) %}${body}{% endfor %}`;

describe('ends with an error, within bounds', () => {
  it.each([
    ['printing a list that holds itself many times over', `${shared}{{ ns.x }}`],
    ['the same as JSON', `${shared}{{ ns.x | tojson }}`],
    ['comparing two such lists', `${shared}{{ ns.x == ns.y }}`],
    [
      'capturing long texts',
      `${long}{% for i in range(99) %}{% set b %}${'{{a}}'.repeat(16)}{{i}}{% endset %}{% endfor %}`,
    ],
    [
      'copying a growing dict',
      `{% set ns=namespace(d={}) %}{% for i in range(99999) %}{% set ns.d=dict(ns.d, **{i|string:1}) %}{% endfor %}`,
    ],
    [
      'keeping long lists',
      `{% set ns=namespace(l=[]) %}{% for i in range(99999) %}{% set ns.l=[ns.l, range(99999)] %}{% endfor %}`,
    ],
    ['keeping what loops know', `{% set ns=namespace(l=0) %}${often('{% set ns.l=[ns.l, loop] %}')}`],
    ['replacing by something longer', "{{ ('a'*1000000) | replace('a', 'b'*200) }}"],
    [
      'sorting long texts',
      `${long}{% set ns=namespace(l=[a,a]) %}{% for i in range(10) %}{% set ns.l=ns.l+ns.l %}{% endfor %}{{ ns.l|sort }}`,
    ],
    ['comparing long texts', `${long}{% set b='a'*15999999+'b' %}${often('{% if a < b %}{% endif %}')}`],
    ['finding long texts equal', `${long}{% set b='a'*15999999+'b' %}${often('{% if a == b %}{% endif %}')}`],
    ['looking for a long text in a long one', `${long}{{ ('b'+'a'*8000000) in a }}`],
    ['escaping a long text', "{{ ['\\u0000'*16000000] }}"],
    ['title', "{% set a='a b '*4000000 %}{{ a | title | length }}"],
    ['strip', `{% set a=' '*16000000 %}${often('{% set b=a.strip() %}')}`],
    ['split', "{% set a=','*16000000 %}{{ a.split(',') | length }}"],
    ['splitlines', "{% set a='\\n'*16000000 %}{{ a.splitlines() | length }}"],
    ['join', `${long}{{ range(9999) | join(a) }}`],
    ['indent', "{{ ('\\n'*999999) | indent(999999) }}"],
    ['indented JSON', '{{ [[[1]]] | tojson(indent=999999999) }}'],
    ['a wide expression', often(`{% set b=${Array(800).fill('1').join('+')} %}`)],
    [
      'asking whether a large dict is empty',
      `{% set ns=namespace(d={}) %}{% for i in range(500) %}{% set ns.d=dict(ns.d, **{i|string: 1}) %}{% endfor %}${often('{% if ns.d %}{% endif %}')}`,
    ],
    ['long keys, each another', often("{% set b={'a'*1000000 ~ i ~ j: 1} %}")],
    ['looking long keys up, each another', often("{% set b={'a': 1}['a'*1000000 ~ i ~ j] %}")],
    ['adding numbers up', often('{% set b=range(9999) | sum %}')],
    ['looking for attributes', often("{% set b=range(9999) | join('', attribute='a.b') %}")],
    ['taking items of a generator', `{% set g=range(99999) | map('string') %}${often('{% set b=g | first %}')}`],
    ['copying a long list', `{% set c=range(99999) | list %}${often('{% set b=c | list %}')}`],
    ['listing keys', often("{% set b=dict(range(999) | map('string') | map('list')) %}")],
    [
      'comparing with many long beginnings',
      `{% set a='a'*1000000 %}{% set ns=namespace(l=['a'*999999+'b']) %}{% for i in range(16) %}{% set ns.l=ns.l+ns.l %}{% endfor %}{{ a.startswith(ns.l) }}`,
    ],
    ['reading a number out of a long text', `{% set a='1'*9999999 %}${often('{% set b=a|int + a|float %}')}`],
    // V8 gives texts beyond 16,383 characters that are as long as one another the same hash.
    [
      'long texts of one length as items of a set',
      `${ofOneLength("{% set ns.l=ns.l+['a'*17000~i] %}")}{{ ns.l|unique }}`,
    ],
    ['as keys', ofOneLength("{% set b={'a': 1}.get('a'*17000~i) %}")],
    ['measured', ofOneLength("{% set b=('a'*17000~i)|length %}")],
    ['paths of many parts', "{{ [1] | map(attribute='.'*16000000) | list }}"],
    ['printing dates', often("{% set b=strftime_now('%c') %}")],
    [
      'macros',
      `{% macro m(b) %}{{ b }}{{ b }}{% endmacro %}{% set ns=namespace(s='ab') %}{% for i in range(60) %}{% set ns.s=m(ns.s) %}{% endfor %}`,
    ],
  ])('%s', (_name, source) => {
    expectBounded(() => expect(() => render(source)).toThrow(TemplateError));
  });

  it('a template of nothing but blanks between its tags', () => {
    expect(() => openTemplate(`{{ 1 }}${' '.repeat(1000)}`.repeat(200), {})).toThrow(/blanks in a row/);
  });
});

test('a long text that is nearly a number is read once', () => {
  const begin = performance.now();
  for (const text of ["'0'*200000", "'1'*200000", "'1_'*100000", "'1'*200000 ~ '.' ~ '1'*200000", "'1' ~ ' '*200000"]) {
    expect(render(`{% set a=${text} ~ 'x' %}{{ a | int }} {{ a | float }}`)).toBe('0 0.0');
  }
  expect(performance.now() - begin).toBeLessThan(5000);
  expect(render("{{ ['007', '-0_1', '000', ' 1_0 ', '1__0', '_1'] | map('int') | list }}")).toBe(
    '[7, -1, 0, 10, 0, 0]',
  );
  expect(render("{{ ['1.', '.5', '1_0.2_5e1', '1_.5', '.', '1._5'] | map('float') | list }}")).toBe(
    '[1.0, 0.5, 102.5, 0.0, 0.0, 0.0]',
  );
});

test('macros in macros are each looked through once', () => {
  const begin = performance.now();
  openTemplate(`${'{%macro m()%}'.repeat(1000)}${'{{a}}'.repeat(32_000)}${'{%endmacro%}'.repeat(1000)}`, {});
  expect(performance.now() - begin).toBeLessThan(10_000);
});

test('unique looks at each item once', () => {
  expect(
    render(
      '{{ range(99999) | list | unique | list | length }} {{ ["a", "A", 1, true, none, [1], [1]] | unique | list }}',
    ),
  ).toBe("99999 ['a', 1, None, [1]]");
});

test('a long text of characters beyond U+FFFF is indexed in linear time', () => {
  const content = '😀héy '.repeat(100_000);
  const source = `{% set c=messages[0].content %}{% set d=c~'' %}{% for i in range(99999) %}{% if c[i] != d[i] or c[i:i+2][0] != c[i] %}{{ i }}{% endif %}{% endfor %}{{ c|length }} {{ c[499995] }}{{ c[-5:] }}{{ c[-1:-3:-1] }}|`;
  expect(render(source, content)).toBe('500000 😀😀héy  y|');
});

test('texts are ordered by code points', () => {
  expect(render("{{ ['\\uffee', messages[0].content, 'a'] | sort }}{{ messages[0].content > '\\uffee' }}", '😀')).toBe(
    "['a', '\uffee', '😀']True",
  );
});
