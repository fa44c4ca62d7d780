import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { openTemplate, TemplateError } from './template.ts';
import { numberFromJson } from './values.ts';

fc.configureGlobal({ seed: 3407 });

const render = (source: string, variables: Record<string, unknown> = {}): string =>
  openTemplate(source, {}).render([], { variables });

/** Each text was printed by Jinja 3.1 in transformers' environment. */
describe('as Python prints', () => {
  it.each([
    ['{{ none }} {{ true }} {{ [1, "a", none] }} {{ {"k": 1.0} }}', "None True [1, 'a', None] {'k': 1.0}"],
    ['{{ 4 / 2 }} {{ 7 // 2 }} {{ -7 // 2 }} {{ -7 % 3 }} {{ 2 ** 10 }}', '2.0 3 -4 2 1024'],
    ['{{ "  x\\n".lstrip("\\n") }}|{{ "xxaxx".strip("x") }}|{{ "a\ufeff".strip() }}|', '  x\n|a|a\ufeff|'],
    [
      '{{ "a b  c".split() }} {{ "a,b,c".split(",", 1) }} {{ "a,b,c".rsplit(",", 1) }}',
      "['a', 'b', 'c'] ['a', 'b,c'] ['a,b', 'c']",
    ],
    ['{{ {"b": [1, 2.5], "a": "é\\n"} | tojson }}', '{"b": [1, 2.5], "a": "é\\n"}'],
    ['{{ {"a": []} | tojson(indent=2) }}', '{\n  "a": []\n}'],
    ['{{ "👩x"[0] }}{{ "👩x" | length }}{{ "👩x"[::-1] }}', '👩2x👩'],
    ['{% for i in range(3) %}{% if loop.first %}{% set x = 5 %}{% endif %}{{ x }}{% endfor %}', '5'],
    [
      '{% for i in range(4) %}{{ i }}{% if i == 1 %}{% continue %}{% endif %}.{% if i == 2 %}{% break %}{% endif %}{% endfor %}',
      '0.12.',
    ],
    ['{% set ns = namespace(n=0) %}{% for i in [1, 2] %}{% set ns.n = ns.n + i %}{% endfor %}{{ ns.n }}', '3'],
    [
      '{{ [none] | first }} {{ x | default(none) }} {% macro m(a, b=1) %}{{ b }}{% endmacro %}{{ m(0, none) }}',
      'None None None',
    ],
    ['{% macro m(a, b="x") %}[{{ a }}{{ b }}]{% endmacro %}{{ m(1) }}{{ m(1, b=2) }}', '[1x][12]'],
    ['{% set x %}  a {% endset %}{{ x | trim }}|{{ "q" if false }}|{{ missing }}|', 'a|||'],
    ['{{ {"items": 1}["items"] }} {{ "x" in {"x": 0} }} {{ ([3, 1, 2] | sort)[0] }}', '1 True 1'],
    ['{{ "a" ~ 1 ~ none }} {{ [1, 2] | join("-") }} {{ "abc" | replace("b", "") | upper }}', 'a1None 1-2 AC'],
    ['{%- for k, v in {"a": 1}.items() %}{{ k }}={{ v }}{% else %}none{% endfor %}', 'a=1'],
    ['{{ [{"r": "a"}, {"r": "b"}] | selectattr("r", "equalto", "b") | list }}', "[{'r': 'b'}]"],
    [
      '{{ [2.5|round, 3.5|round, 10|round, 15|round(-1), 25|round(-1), 2.675|round(2), -2.5|round, 42.55|round(1), true|round, 0.125|round(2)] | join(" ") }}',
      '2.0 4.0 10 20 20 2.67 -2.0 42.5 1 0.12',
    ],
    ['{{ [{"r": "a"}, {}] | map(attribute="r") | select("defined") | join }}', 'a'],
  ])('%s', (source, expected) => {
    expect(render(source)).toBe(expected);
  });

  it.each([
    ['1.0', '1.0'],
    ['0.00001', '1e-05'],
    ['1e16', '1e+16'],
    ['123456789012345678901', '123456789012345678901'],
    ['1.50', '1.5'],
    ['-0', '0'],
    ['12', '12'],
  ])('prints the JSON number %s as %s', (source, expected) => {
    expect(render('{{ n }} {{ n | tojson }}', { n: numberFromJson(source) })).toBe(`${expected} ${expected}`);
  });

  it.each(['\r\n', '\r', '\n'])('ends lines with a line feed, whatever ended them in the template (%j)', (end) => {
    expect(render(`a${end}{% if true %}${end}b{{ "c${end}d\\r" }}${end}{% endif %}${end}`)).toBe('a\nbc\nd\r\n');
  });

  it('says the time as strftime does', () => {
    const short = openTemplate('{{ strftime_now("%c|%x|%X|%D|%R|%u|%z%Z|%e") }}', {});
    expect(short.render([], { now: new Date(2026, 0, 4, 7, 6, 5) })).toBe(
      'Sun Jan  4 07:06:05 2026|01/04/26|07:06:05|01/04/26|07:06|7|| 4',
    );
    const template = openTemplate('{{ strftime_now("%d %b %Y %H:%M:%S %A %j %-d %%") }}', {});
    expect(template.render([], { now: new Date('2026-01-02T03:04:05') })).toBe('02 Jan 2026 03:04:05 Friday 002 2 %');
  });
});

describe('refusals', () => {
  it.each([
    ['{{ raise_exception("No system role!") }}', 'No system role!'],
    ['{{ "a" + none }}', 'can only concatenate str (not "NoneType") to str'],
    ['{{ "a" + {} }}', 'can only concatenate str (not "dict") to str'],
    ['{{ messages[0].content + "x" }}', 'list object has no element 0'],
    ['{{ foo.bar }}', "'foo' is undefined"],
    ['{{ {}.a.b }}', "'dict object' has no attribute 'a'"],
    ['{{ "x" in none }}', "argument of type 'NoneType' is not iterable"],
    ['{{ [].append(1) }}', "access to attribute 'append' of 'list' object is unsafe."],
    ['{{ "".__class__() }}', "access to attribute '__class__' of 'str' object is unsafe."],
    ['{{ range(1000000) }}', 'Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).'],
  ])('%s', (source, message) => {
    expect(() => render(source)).toThrow(new TemplateError(message));
  });

  it.each([
    '{% if %}',
    '{{ x | nosuchfilter }}',
    '{% for %}',
    '{{ (((',
    '{% include "/etc/passwd" %}',
    'x'.repeat(1 << 19),
    ' '.repeat(1 << 13),
  ])('does not open what is no template', (source) => {
    expect(() => openTemplate(source, {})).toThrow(/chat template cannot be used/);
  });
});

describe('bounds', () => {
  it.each([
    ['an endless loop', '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}'],
    [
      'a doubling string',
      '{% set ns = namespace(s="ab") %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}',
    ],
    ['a huge repetition', '{{ "ab" * 999999999 }}'],
    ['macros that call themselves', '{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}'],
    [
      'copies of a long text',
      '{% set s = "ab" * 9999999 %}{% for i in range(9999) %}{% set t = s | replace("a", "b") %}{% endfor %}',
    ],
  ])('stops %s', (_name, source) => {
    expect(() => render(source)).toThrow(TemplateError);
  });

  it('never does anything but render or refuse, whatever the template', () => {
    const piece = fc.constantFrom(
      '{{',
      '}}',
      '{%',
      '%}',
      '{#',
      '#}',
      'for',
      'x',
      'in',
      'messages',
      '[0]',
      '.content',
      '|',
      'trim',
      'if',
      'endif',
      'endfor',
      'set',
      '=',
      "'",
      '"',
      '(',
      ')',
      '+',
      '-',
      ' ',
      '\n',
      '1',
      'range',
      ':',
      ',',
      'loop',
      'not',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 24 }), fc.string({ unit: 'binary' }), (pieces, content) => {
        try {
          openTemplate(pieces.join(''), {}).render([{ role: 'user', content }]);
        } catch (error) {
          if (error instanceof TemplateError) return;
          expect(error).toMatchObject({ code: 'template_invalid' });
        }
      }),
      { numRuns: 5000 },
    );
  });
});

describe('what each message printed', () => {
  it('is its iteration of the outermost loop, however the list was cut', () => {
    const source = '<s>{% for m in messages[1:] %}{% for n in messages %}{% endfor %}[{{ m.content }}]{% endfor %}!';
    const rendered = openTemplate(source, {}).renderMessages([{ content: 'a' }, { content: 'b' }, { content: 'c' }]);
    expect(rendered.text).toBe('<s>[b][c]!');
    expect(rendered.messages).toEqual([null, { start: 3, end: 6 }, { start: 6, end: 9 }]);
    expect(rendered.end).toBe(9);
  });

  it('is found in a loop over their numbers', () => {
    const source = '{% for i in range(messages | length) %}{% set m = messages[i] %}[{{ m.content }}]{% endfor %}';
    const rendered = openTemplate(source, {}).renderMessages([{ content: 'a' }, { content: 'b' }]);
    expect(rendered.messages).toEqual([
      { start: 0, end: 3 },
      { start: 3, end: 6 },
    ]);
  });

  it('is unknown for a message printed twice', () => {
    const source =
      '{% for m in messages %}{{ m.content }}{% endfor %}|{% for m in messages %}{{ m.content }}{% endfor %}';
    expect(openTemplate(source, {}).renderMessages([{ content: 'a' }]).messages).toEqual([null]);
  });
});
