/**
 * What a chat template swallowed was trained without a word: answers without the thinking that led to them, calls without their
 * arguments, conversations without their system message or their tools.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openChatRenderer } from '../packages/core/src/datasets/chatRenderer.ts';
import { render } from '../packages/core/src/datasets/render.ts';
import type { Message, ToolCall } from '../packages/core/src/datasets/types.ts';
import { byteTokenizer, CHATML } from '../packages/core/test/byteTokenizer.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { tinyRecipe, trainHere } from '../packages/core/test/runs.ts';

const user: Message = { role: 'user', content: 'Is 91 prime?' };
const tool = { type: 'function', function: { name: 'divide', description: 'divides', parameters: {} } };
const call = (given: unknown = { by: 'seven' }): Message => ({
  role: 'assistant',
  content: '',
  tool_calls: [{ type: 'function', function: { name: 'divide', arguments: given } }],
});

const [second] = call().tool_calls as readonly [ToolCall];

function outcome(source: string, messages: readonly Message[], tools: readonly unknown[] | null = null): unknown {
  const renderer = openChatRenderer(byteTokenizer(), { source });
  const conversation = { kind: 'chat' as const, messages, train: messages.map(() => null), tools };
  const rendered = render(renderer, conversation, { rolesToTrain: ['assistant'], trainOnEos: 'turn' });
  if (rendered.kind === 'dropped') return `${rendered.reason}: ${rendered.detail}`;
  return rendered.leftOut.map(({ part, message }) => [part, message]);
}

const STRIPS = CHATML.replace('message.content', "message.content.split('</think>')[-1]");

test.each<[string, string, readonly Message[], RegExp]>([
  [
    'thinking in the content',
    STRIPS,
    [user, { role: 'assistant', content: '<think>\n7 * 13\n</think>\n\nNo.' }],
    /^content_lost: message 2 \(assistant\) holds what was thought; this template cannot print that: set chat_template$/,
  ],
  [
    'thinking that the generation prompt opens',
    STRIPS,
    [user, { role: 'assistant', content: 'No. 7 * 13\n</think>\n\nNo.' }],
    /^content_lost: message 2 \(assistant\) holds what was thought/,
  ],
  ['thinking in a field', CHATML, [user, { role: 'assistant', content: 'No.', reasoning_content: 'No.' }], /thought/],
  [
    'a call',
    CHATML,
    [user, call()],
    /^content_lost: message 2 is a tool call; this template cannot print one: set chat_template$/,
  ],
  [
    'a call in a template that prints no message for it',
    "{% for m in messages %}{% if not m.tool_calls %}{{ m.role + ': ' + m.content + '<|im_end|>' }}{% endif %}{% endfor %}",
    [user, call()],
    /^content_lost: message 2 is a tool call/,
  ],
  [
    'a call beside a text, of which DeepSeek-V3 prints the text alone',
    CHATML.replace('message.content', '(message.content if message.content else (message.tool_calls | tojson))'),
    [user, { ...call(), content: 'Let me see.' }],
    /^content_lost: message 2 is a tool call beside a text; this template prints only one of them: set chat_template$/,
  ],
  [
    'the second of two calls',
    CHATML.replace(
      'message.content',
      '((message.tool_calls[0].function | tojson) if message.tool_calls else message.content)',
    ),
    [
      user,
      {
        ...call(),
        tool_calls: [...(call().tool_calls ?? []), { ...second, function: { ...second.function, name: 'add' } }],
      },
    ],
    /^content_lost: message 2 has 2 tool calls; this template prints only the first: set chat_template$/,
  ],
  [
    'arguments',
    CHATML.replace(
      'message.content',
      '(message.tool_calls[0].function.name if message.tool_calls else message.content)',
    ),
    [user, call()],
    /^content_lost: message 2 is a tool call; this template leaves out its arguments/,
  ],
  [
    'text beside a call',
    CHATML.replace('message.content', '((message.tool_calls | tojson) if message.tool_calls else message.content)'),
    [user, { ...call(), content: 'Let me see.' }],
    /^content_lost: message 2 \(assistant\) says something beside its tool call/,
  ],
  [
    'the end of a long answer',
    CHATML.replace('message.content', 'message.content[:20]'),
    [user, { role: 'assistant', content: 'No, since seven times thirteen is ninety-one.' }],
    /^content_lost: this template leaves out what message 2 \(assistant\) says/,
  ],
])('of a trained answer: %s', (_name, source, messages, expected) => {
  expect(outcome(source, messages)).toMatch(expected);
});

test.each<[string, string, readonly Message[], readonly unknown[] | null, unknown]>([
  [
    'a system message',
    CHATML.replace('in messages', "in messages if message.role != 'system'"),
    [{ role: 'system', content: 'user' }, user, { role: 'assistant', content: 'No.' }],
    null,
    [['system', 0]],
  ],
  ['definitions of tools', CHATML, [user, { role: 'assistant', content: 'divide' }], [tool], [['tools', null]]],
  [
    'thinking before earlier answers, as Qwen3 does',
    CHATML.replace('message.content', "(message.content if loop.last else message.content.split('</think>')[-1])"),
    [
      user,
      { role: 'assistant', content: '<think>7 * 13</think>No.' },
      user,
      { role: 'assistant', content: '<think>again?</think>Still no.' },
    ],
    null,
    [['earlier thinking', 1]],
  ],
])('of the rest it is a warning: %s', (_name, source, messages, tools, expected) => {
  expect(outcome(source, messages, tools)).toEqual(expected);
});

const lostOfTools = (what: string) => [`the template leaves out the ${what} of the tools`];

test('of a tool its name, what it does and its parameters are looked for', () => {
  const parameters = { type: 'object', properties: { divisor: { type: 'number' } } };
  const tools = [{ type: 'function', function: { name: 'divide', description: 'Says "no" by zero', parameters } }];
  const messages = [user, { role: 'assistant', content: 'divide' }];
  const detail = (printed: string): unknown => {
    const source = `{% for tool in tools or [] %}${printed}{% endfor %}${CHATML}`;
    const renderer = openChatRenderer(byteTokenizer(), { source });
    const conversation = { kind: 'chat' as const, messages, train: [null, null], tools };
    const rendered = render(renderer, conversation, { rolesToTrain: ['assistant'], trainOnEos: 'turn' });
    return rendered.kind === 'dropped' ? rendered : rendered.leftOut.map((lost) => lost.detail);
  };
  expect(detail('')).toEqual(lostOfTools('definitions'));
  expect(detail('{{ tool.function.name }}')).toEqual(lostOfTools('descriptions and parameters'));
  expect(detail('{{ tool.function.name + tool.function.description }}')).toEqual(lostOfTools('parameters'));
  expect(detail('{{ tool | tojson }}')).toEqual([]);
  expect(detail('{{ tool | string | upper | replace("\\"", "&quot;") | lower }}')).toEqual([]);
});

test('what a template prints in another form is not left out', () => {
  const escaped = CHATML.replace('message.content', "(message.content | replace('<', '&lt;') | upper | tojson)");
  expect(outcome(escaped, [user, { role: 'assistant', content: 'a "b" <c>\n\nd' }])).toEqual([]);
  const all = CHATML.replace('message.content', '(message | tojson)').replace('{% for', '{{ tools | tojson }}{% for');
  for (const given of [{ by: 'seven' }, {}, '{"by": "seven"}', { by: 7 }]) {
    expect(outcome(all, [user, { ...call(given), content: 'Let me see.' }], [tool])).toEqual([]);
  }
});

test('a run counts such rows, lists them and warns', async () => {
  const folder = temporaryFolder();
  const rows = [
    { messages: [user, { role: 'assistant', content: 'No.' }] },
    { messages: [{ role: 'system', content: 'Be brief.' }, user, { role: 'assistant', content: 'Never.' }] },
  ];
  writeFileSync(join(folder, 'left.jsonl'), rows.map((row) => JSON.stringify(row)).join('\n'));
  const source = CHATML.replace('in messages', "in messages if message.role != 'system'");
  writeFileSync(join(folder, 'left.jinja'), source);
  const recipe = tinyRecipe(folder, {
    datasets: [{ path: join(folder, 'left.jsonl'), type: 'chat_template' }],
    chat_template: join(folder, 'left.jinja'),
    max_steps: 1,
  });
  const run = await trainHere(recipe);
  const list = readFileSync(join(run.path, 'data', 'dropped.jsonl'), 'utf8')
    .trim()
    .split('\n');
  expect(list.map((line) => JSON.parse(line))).toMatchObject([
    { row: 2, verdict: 'kept', left_out: ['this template leaves out what message 1 (system) says: set chat_template'] },
  ]);
  const events = readFileSync(join(run.path, 'events.jsonl'), 'utf8').trim().split('\n');
  expect(events.map((line) => JSON.parse(line)).filter(({ type }) => type === 'warning')).toContainEqual(
    expect.objectContaining({
      code: 'content_left_out',
      message: 'the chat template leaves out the system message in 1 row; data/dropped.jsonl lists them',
    }),
  );
});

const THINKS = CHATML.replace('<|im_start|>assistant\n', '<|im_start|>assistant\n<think>\n');

test('answers that do not stand behind what the model is given in use are said', () => {
  const answer: Message = { role: 'assistant', content: 'No.' };
  expect(outcome(THINKS, [user, answer])).toEqual([['prompt', 1]]);
  expect(outcome(CHATML, [user, answer])).toEqual([]);
  expect(outcome(THINKS, [user, { ...answer, content: '<think>\nHm.\n</think>\n\nNo.' }])).toEqual([]);
  expect(outcome(THINKS, [user, answer, user])).toEqual([]);
});
