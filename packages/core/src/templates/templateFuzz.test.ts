/** Chat templates made by a grammar, so that most of them run: rendered, or refused by an error that is meant for people. */
import { expect, test } from 'vitest';
import { type Choices, fuzz } from '../../test/fuzz.ts';
import { expectBounded } from '../../test/templateBounds.ts';
import { UserError } from '../errors.ts';
import { openTemplate, TemplateError } from './template.ts';

const names = ['messages', 'message', 'm', 'x', 'loop', 'tools', 'bos_token', 'add_generation_prompt', 'ns', 'range'];
const literals = ["'a'", "''", '"é😀\\n"', '0', '1', '-1', '2.5', '99999', 'true', 'none', '[]', '{}', "'ab' * 999"];
const keys = ['content', 'role', 'index', 'first', 'last', 'items', 'strip', 'split', 'append', '__class__', 'length'];
const filters = [
  ['trim', 'tojson', 'tojson(indent=2)', 'length', 'upper', 'title', 'list', 'first', 'last', 'reverse', 'join'],
  ["join(',')", "replace('a', 'b')", 'items', 'dictsort', 'sort', 'unique', 'sum', 'min', 'int', 'float', 'string'],
  ["default('d')", "map(attribute='content')", "selectattr('role')", "rejectattr('role', 'equalto', 'user')"],
  ['indent(4)', 'round', 'abs', 'safe', 'capitalize', 'select', 'nothing', 'max', "map('upper')", 'batch(2)'],
].flat();
const tests = ['defined', 'none', 'string', 'mapping', 'iterable', 'odd', 'divisibleby(0)', 'equalto(1)', 'nothing'];
const operators = ['+', '-', '*', '/', '//', '%', '~', '==', '!=', '<', '>=', 'in', 'not in', 'and', 'or', '**'];

function expression(choose: Choices, depth: number): string {
  const { below, of } = choose;
  const inner = () => expression(choose, depth - 1);
  if (depth === 0) return of([names, literals][below(2)] as string[]);
  return of([
    () => of(names),
    () => of(literals),
    () => `${inner()}.${of(keys)}`,
    () => `${inner()}[${inner()}]`,
    () => `${inner()}[${inner()}:${of(['', inner(), '-1', ':-1', ':0'])}]`,
    () => `${inner()} | ${of(filters)}`,
    () => `(${inner()} ${of(operators)} ${inner()})`,
    () => `${inner()}.${of(keys)}(${of(['', inner()])})`,
    () => `${of(['range', 'namespace', 'dict', 'raise_exception', 'strftime_now', 'x'])}(${inner()})`,
    () => `(${inner()} if ${inner()} else ${inner()})`,
    () => `(${inner()} is ${of(['', 'not '])}${of(tests)})`,
    () => `not ${inner()}`,
    () => `[${inner()}, ${inner()}]`,
    () => `{'a': ${inner()}, ${inner()}: 1}`,
  ])();
}

function block(choose: Choices, depth: number): string {
  const { below, of } = choose;
  const value = () => expression(choose, below(4));
  const body = () => (depth === 0 ? of(['text', ' \n', '']) : block(choose, depth - 1));
  const dash = () => of(['', '', '-']);
  const one = (): string =>
    of([
      () => `{{${dash()} ${value()} ${dash()}}}`,
      () => `{%${dash()} for m in ${of(['messages', value()])} %}${body()}{%${dash()} endfor %}`,
      () => `{% for m, x in ${value()} if ${value()} %}${body()}{% else %}${body()}{% endfor %}`,
      () => `{% if ${value()} %}${body()}{% elif ${value()} %}${body()}{% else %}${body()}{% endif ${dash()}%}`,
      () => `{% set x = ${value()} %}`,
      () => `{% set ns = namespace(a=${value()}) %}{% set ns.a = ${value()} %}{{ ns.a }}`,
      () => `{% set x %}${body()}{% endset %}`,
      () => `{% macro x(m, y=${value()}) %}${body()}{% endmacro %}{{ x(${value()}) }}`,
      () => `{% call x() %}${body()}{% endcall %}`,
      () => `{% filter ${of(filters)} %}${body()}{% endfilter %}`,
      () => `{% generation %}${body()}{% endgeneration %}`,
      () => `{# ${of(['a', '{{', '%}'])} #}`,
      () => of(['{% break %}', '{% continue %}', '{% include "a" %}', '{% import x %}', '{{', '%}', '{% raw %}{{']),
    ])();
  return Array.from({ length: 1 + below(3) }, one).join(of(['', '\n', 'text']));
}

const conversation = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: [{ type: 'text', text: 'é 😀' }] },
  { role: 'assistant', content: null, tool_calls: [{ function: { name: 'f', arguments: { a: 1.0, b: [null] } } }] },
  { role: 'tool', content: '12' },
];

/** What a template refuses a row with stands in that row's verdict: no defect, but no UserError of its own. */
function render(source: string): void {
  try {
    const template = openTemplate(source, { bos: '<s>' });
    template.renderMessages(conversation, { addGenerationPrompt: true, tools: [{ type: 'function' }] });
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new UserError({ what: error.message, code: 'template_refused' });
  }
}

test('templates', { timeout: 100_000_000 }, async () => {
  const kinds = { read: 0, template_invalid: 0, template_refused: 0 };
  const outcomes = await fuzz('templates', 2000, kinds, (choose) =>
    expectBounded(() => render(block(choose, choose.below(4)))),
  );
  expect(Object.keys(kinds)).toEqual(expect.arrayContaining(Object.keys(outcomes)));
});
