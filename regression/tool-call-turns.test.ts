/**
 * Turns that are printed as calls, not as content, were not found: the header was looked for by changing the content, and the generation
 * prompt was read from what follows the last message in the loop, which there was none of where the first is printed before the loop.
 */
import { expect, test } from 'vitest';
import { openChatRenderer } from '../packages/core/src/datasets/chatRenderer.ts';
import { render } from '../packages/core/src/datasets/render.ts';
import type { Message } from '../packages/core/src/datasets/types.ts';
import { byteTokenizer } from '../packages/core/test/byteTokenizer.ts';

const call = (name: string, given: unknown): NonNullable<Message['tool_calls']> => [
  { id: 'callcall1', type: 'function', function: { name, arguments: given } },
];
const talk: readonly Message[] = [
  { role: 'user', content: 'Weather in Lyon?' },
  { role: 'assistant', content: '', tool_calls: call('get_weather', { city: 'Lyon' }) },
  { role: 'tool', content: '18 C' },
  { role: 'assistant', content: 'It is 18 C.' },
];
const tools = [{ type: 'function', function: { name: 'get_weather', parameters: {} } }];

function trained(source: string, messages = talk): string[] | string {
  const renderer = openChatRenderer(byteTokenizer(), { source });
  const conversation = { kind: 'chat' as const, messages, train: messages.map(() => null), tools };
  const rendered = render(renderer, conversation, { rolesToTrain: ['assistant'], trainOnEos: 'turn' });
  if (rendered.kind === 'dropped') return `${rendered.reason}: ${rendered.detail}`;
  return rendered.supervised.map(({ start, end }) => rendered.text.slice(start, end));
}

const CALL = '{"name": "get_weather", "parameters": {"city": "Lyon"}}<|im_end|>';

test('with the first message printed outside the loop, as Llama 3.1 and 3.2 do', () => {
  const source = `{{ '<|im_start|>user\n' + (tools | tojson) + messages[0].content + '<|im_end|>\n' }}{% for m in messages[1:] %}{{ '<|im_start|>' + m.role + '\n' }}{% if m.tool_calls %}{{ '{"name": "' + m.tool_calls[0].function.name + '", "parameters": ' + (m.tool_calls[0].function.arguments | tojson) + '}' }}{% else %}{{ m.content }}{% endif %}{{ '<|im_end|>\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`;
  expect(trained(source)).toEqual([CALL, 'It is 18 C.<|im_end|>']);
});

/** As Mistral writes them; roles must alternate, apart from calls and their results. */
const MISTRAL = `{% for m in messages | rejectattr('role', 'equalto', 'tool') | selectattr('tool_calls', 'undefined') %}{% if (m.role == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}{% endfor %}{{ tools | tojson }}{% for m in messages %}{% if m.role == 'user' %}[INST]{{ m.content }}[/INST]{% elif m.tool_calls %}[TOOL_CALLS][{% for c in m.tool_calls %}{{ c.function | tojson }}{% endfor %}]<|im_end|>{% elif m.role == 'tool' %}[TOOL_RESULTS]{{ m.content }}[/TOOL_RESULTS]{% else %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}`;

test('without a generation prompt', () => {
  const calls = '[TOOL_CALLS][{"name": "get_weather", "arguments": {"city": "Lyon"}}]<|im_end|>';
  expect(trained(MISTRAL)).toEqual([calls, 'It is 18 C.<|im_end|>']);
});

test('with another end token after a call than after an answer', () => {
  const source = `{{ tools | tojson }}{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.tool_calls %}{{ m.tool_calls[0].function | tojson }}</s>{% else %}{{ m.content }}<|im_end|>{% endif %}{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}`;
  expect(trained(source)).toEqual([
    '{"name": "get_weather", "arguments": {"city": "Lyon"}}</s>',
    'It is 18 C.<|im_end|>',
  ]);
});

test('in a template that prints an end of text instead of the generation prompt', () => {
  const source = `{{ tools | tojson }}{% for m in messages %}<|im_start|>{{ m.role }}\n{{ (m.tool_calls or m.content) | tojson }}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% else %}</s>{% endif %}`;
  expect(trained(source)).toHaveLength(2);
  expect(trained(source)[1]).toBe('"It is 18 C."<|im_end|>');
});

test('in a template that gathers the text and prints it at the end', () => {
  const source = `{% set ns = namespace(t=(tools | tojson)) %}{% for m in messages %}{% set ns.t = ns.t ~ '<|im_start|>' ~ m.role ~ '\n' ~ ((m.tool_calls[0].function | tojson) if m.tool_calls else m.content) ~ '<|im_end|>\n' %}{% endfor %}{{ ns.t }}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}`;
  expect(trained(source)).toEqual([
    '{"name": "get_weather", "arguments": {"city": "Lyon"}}<|im_end|>',
    'It is 18 C.<|im_end|>',
  ]);
});

test('a message that is printed twice has no place of its own', () => {
  const source = `{{ tools | tojson }}{% for k in [1, 2] %}{% for m in messages %}{{ '<|im_start|>' + m.role + '\n' + m.content + '<|im_end|>' }}{% endfor %}{% endfor %}`;
  const plain: Message[] = [talk[0] as Message, { role: 'assistant', content: 'Warm.' }];
  expect(trained(source, plain)).toMatch(/^turn_not_found/);
});
