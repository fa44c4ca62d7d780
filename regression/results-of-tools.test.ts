/**
 * A model that called a tool could not be told what the tool gave: `chat` had no place for results, in a conversation or in a script.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answered, resultsOf, unknownCommand } from '../apps/agent/src/commands/converse.ts';
import { annealIn } from '../apps/agent/test/helpers/anneal.ts';
import { openChatRenderer } from '../packages/core/src/datasets/chatRenderer.ts';
import { writtenConversation } from '../packages/core/src/datasets/writtenConversation.ts';
import { encodePrompt } from '../packages/core/src/generate/modelText.ts';
import { callsIn } from '../packages/core/src/generate/toolCalls.ts';
import { namedTemplate } from '../packages/core/src/templates/namedTemplates.ts';
import { byteTokenizer, CHATML } from '../packages/core/test/byteTokenizer.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';

const tool = (name: string) => ({ type: 'function', function: { name, parameters: {} } });
const tools = [tool('weather'), tool('add')];
const call = (name: string, given: string, i = 0) => ({
  id: `call0000${i}`,
  type: 'function',
  function: { name, arguments: given },
});

describe('calls in an answer', () => {
  test.each<[string, string, string, unknown[]]>([
    [
      'Hermes and Qwen',
      'Let me see.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Li}ma", "days": 1.0}}\n</tool_call>\n<tool_call>\n{"name": "add", "arguments": {"a": 12345678901234567890}}\n</tool_call>',
      'Let me see.',
      [call('weather', '{"city": "Li}ma", "days": 1.0}'), call('add', '{"a": 12345678901234567890}', 1)],
    ],
    ['Llama 3.1', '{"name": "weather", "parameters": {}}', '', [call('weather', '{}')]],
    ['Llama 3.1 with its tag', '<|python_tag|>{"name": "add", "parameters": {"a": 1}}', '', [call('add', '{"a": 1}')]],
    [
      'Mistral',
      '[TOOL_CALLS] [{"name": "add", "arguments": {"a": 1}}, {"name": "weather", "arguments": {}}]',
      '',
      [call('add', '{"a": 1}'), call('weather', '{}', 1)],
    ],
    ['arguments as text', '{"name": "add", "arguments": "{\\"a\\":  1}"}', '', [call('add', '{"a":  1}')]],
    [
      'JSON that calls nothing',
      'So: {"name": "Ann", "arguments": {}} {"a": [1]}',
      'So: {"name": "Ann", "arguments": {}} {"a": [1]}',
      [],
    ],
    [
      'a call that is cut',
      '<tool_call>\n{"name": "add", "arguments": {"a": 1',
      '<tool_call>\n{"name": "add", "arguments": {"a": 1',
      [],
    ],
    ['a call after braces that stay open', 'f(x) { {"name": "add", "arguments": {}}', 'f(x) {', [call('add', '{}')]],
  ])('%s', (_, answer, content, calls) => {
    expect(callsIn(answer, tools)).toEqual({ content, calls });
  });

  test('a long answer of braces takes no long time', () => {
    expect(callsIn('{['.repeat(4000), tools).calls).toEqual([]);
  });
});

test('what the model called and what the tool gave reach it as its template writes them', async () => {
  const tokenizer = byteTokenizer();
  const renderer = openChatRenderer(tokenizer, { source: namedTemplate('hermes', false) });
  const answer = 'Wait.\n<tool_call>\n{"name": "add", "arguments": {"a": 1.0}}\n</tool_call>';
  const { content, calls } = callsIn(answer, tools);
  const messages = [
    { role: 'user', content: 'Add.' },
    { role: 'assistant', content, tool_calls: calls },
    { role: 'tool', tool_call_id: 'call00000', name: 'add', content: '2' },
  ];
  const written = writtenConversation(JSON.stringify({ messages, tools }), 'a.json');
  expect(written.tools).toEqual(tools);
  for (const asked of [messages, written.messages]) {
    const text = await tokenizer.decode(await encodePrompt({ tokenizer, renderer, stopIds: new Set() }, asked, tools));
    expect(text).toContain(`<|im_start|>assistant\n${answer}<|im_end|>\n`);
    expect(text).toMatch(/<tool_response>\n2\n<\/tool_response><\|im_end\|>\n<\|im_start\|>assistant\n$/);
  }
});

test.each([
  ['{"role": "user"}', /field 'messages' is not a list/],
  ['[]', /holds no messages/],
  ['[{"role": "user", "content": "a", "content": "b"}]', /stands twice/],
  ['[{"role": "user"', /not valid JSON/],
  ['null', /field 'messages' is not a list/],
])('%s is no conversation', (text, reason) => {
  expect(() => writtenConversation(text, 'a.json')).toThrow(reason);
});

test('a conversation asks what each call gave, and hands all of it back', async () => {
  const text =
    'Wait.\n<tool_call>\n{"name": "add", "arguments": {"a": 1.0}}\n</tool_call><tool_call>\n{"name": "weather", "arguments": {}}\n</tool_call>';
  const toolCalls = callsIn(text, tools).calls.map((one) => ({ ...one, function: { ...one.function } }));
  const end = {
    text,
    toolCalls,
    promptTokens: 1,
    tokens: 9,
    reason: 'stop' as const,
    firstMilliseconds: 1,
    tokensPerSecond: 1,
  };
  expect(answered(end, { tools }, true)).toEqual({ role: 'assistant', content: 'Wait.', tool_calls: toolCalls });
  const asked: string[] = [];
  const give = (answers: (string | undefined)[]) => async (prompt: string) => {
    asked.push(prompt);
    return answers.shift();
  };
  expect(await resultsOf(end, give(['2', '18 C']))).toEqual([
    { role: 'tool', tool_call_id: 'call00000', name: 'add', content: '2' },
    { role: 'tool', tool_call_id: 'call00001', name: 'weather', content: '18 C' },
  ]);
  expect(asked).toEqual(['add({"a": 1.0}) = ', 'weather({}) = ']);
  // Without one of them the model is not asked again: the next line is a question.
  expect(await resultsOf(end, give(['2', ' ']))).toEqual([]);
  expect(await resultsOf(end, give([undefined]))).toEqual([]);
  expect(answered({ ...end, toolCalls: [] }, { tools }, false)).toEqual({ role: 'assistant', content: text });
  // Templates take nothing but results behind a call, so one that has none is text.
  expect(answered(end, { tools }, false)).toEqual({ role: 'assistant', content: text });
});

test('/tool takes a result', () => {
  expect(['/tool 18 C', '/tool', '/tool ', '/tools x'].map(unknownCommand)).toEqual([null, '/tool', '/tool', '/tools']);
});

test('chat answers a conversation from a file', async () => {
  const folder = temporaryFolder();
  const path = writeTinyModel(folder);
  writeFileSync(join(path, 'chat_template.jinja'), CHATML);
  const messages = [
    { role: 'user', content: 'hi' },
    { role: 'tool', content: '18 C' },
  ];
  writeFileSync(join(folder, 'messages.json'), JSON.stringify(messages));
  const anneal = annealIn(folder);
  const fixed = ['--messages', 'messages.json', '--max-tokens', '4', '--temperature', '0', '--dtype', 'f32', '--json'];
  const { code, stdout } = await anneal('chat', path, ...fixed);
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ tokens: 4, toolCalls: [] });
  const both = await anneal('chat', path, ...fixed, '--prompt', 'hi');
  expect(both.code).toBe(2);
  expect(JSON.parse(both.stdout).error.what).toBe('--messages and --prompt exclude each other');
});
