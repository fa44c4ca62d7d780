/** A conversation in two columns: an answer within the prompt was trained, and the completion never read. */
import { expect, test } from 'vitest';
import { detectFormat, type FieldOptions, openFormat } from '../packages/core/src/datasets/formats/index.ts';

const user = (content: string) => ({ role: 'user', content });
const assistant = (content: string) => ({ role: 'assistant', content });
const prompt = [user('Peru?'), assistant('Lima.'), user('Chile?')];

/** What is said, the messages that are not trained in brackets. */
function readAs(row: Record<string, unknown>, options: FieldOptions = {}): unknown {
  const content = detectFormat([row], options)?.read(row);
  if (content?.kind !== 'chat') return content;
  return content.messages.map(({ role, content: text }, i) => {
    const isTrained = content.train[i] ?? role === 'assistant';
    return isTrained ? text : `(${text})`;
  });
}

const expected = ['(Peru?)', '(Lima.)', '(Chile?)', 'Santiago.'];

test.each([
  ['a list', { prompt, completion: [assistant('Santiago.')] }],
  ['text', { prompt, completion: 'Santiago.' }],
  ['one message', { prompt, completion: assistant('Santiago.') }],
  ['a chosen list', { prompt, chosen: [assistant('Santiago.')], rejected: [assistant('Quito.')] }],
  ['a chosen text', { prompt, chosen: 'Santiago.', rejected: 'Quito.' }],
  ['a chosen message', { prompt, chosen: assistant('Santiago.'), rejected: assistant('Quito.') }],
  ['a chosen list that repeats the prompt', { prompt, chosen: [...prompt, assistant('Santiago.')] }],
  ['the names of messages', { messages: prompt, chosen: assistant('Santiago.') }],
  ['another case', { Prompt: prompt, Completion: 'Santiago.' }],
  ['JSON in text', { prompt: JSON.stringify(prompt), completion: JSON.stringify([assistant('Santiago.')]) }],
])('the completion is trained after the prompt, and nothing else: %s', (_, row) => {
  expect(readAs(row)).toEqual(expected);
});

test('ShareGPT names', () => {
  const conversations = [
    { from: 'human', value: 'Peru?' },
    { from: 'gpt', value: 'Lima.' },
    { from: 'human', value: 'Chile?' },
  ];
  expect(readAs({ conversations, chosen: { from: 'gpt', value: 'Santiago.' } })).toEqual(expected);
  expect(readAs({ conversations, chosen: 'Santiago.' })).toEqual(expected);
});

test.each([
  [{ prompt: 'Chile?', completion: [assistant('Santiago.')] }],
  [{ prompt: 'Chile?', chosen: [assistant('Santiago.')], rejected: [assistant('Quito.')] }],
  [{ prompt: 'Chile?', chosen: 'Santiago.', rejected: 'Quito.' }],
  [{ prompt: 'Chile?', completion: 'Santiago.' }],
  [{ prompt: 'Chile?', chosen: [user('Chile?'), assistant('Santiago.')], rejected: [] }],
])('a prompt that is text: %j', (row) => {
  expect(readAs(row)).toEqual(['(Chile?)', 'Santiago.']);
});

test('a completion with a call and its result: the answers in it are trained', () => {
  const call = { role: 'assistant', content: '', tool_calls: [{ function: { name: 'look', arguments: {} } }] };
  const completion = [call, { role: 'tool', content: 'Santiago' }, assistant('Santiago.')];
  expect(readAs({ prompt, completion })).toEqual([...expected.slice(0, 3), '', '(Santiago)', 'Santiago.']);
});

test('a flag in the prompt still counts', () => {
  const flagged = [user('Peru?'), { ...assistant('Lima.'), train: true }, user('Chile?')];
  expect(readAs({ prompt: flagged, completion: 'Santiago.' })).toEqual(['(Peru?)', 'Lima.', '(Chile?)', 'Santiago.']);
});

test.each([
  [{ prompt, completion: [] }, 'empty'],
  [{ prompt, completion: '' }, 'empty'],
  [{ prompt, completion: null }, 'empty'],
  [{ prompt, completion: 5 }, 'malformed_row'],
  [{ prompt, completion: [user('Bolivia?'), assistant('Sucre.')] }, 'malformed_row'],
  [{ prompt, completion: 'Quito.', label: false }, 'bad_answer'],
])('a row without its answer is dropped: %j', (row, reason) => {
  const rows = [{ prompt, completion: 'Santiago.' }, row];
  expect(detectFormat(rows)?.read(row)).toMatchObject({ kind: 'dropped', reason });
});

test('a recipe may name the rejected answers', () => {
  const row = { prompt, chosen: [assistant('Santiago.')], rejected: [assistant('Quito.')] };
  expect(readAs(row, { fieldMessages: 'rejected' })).toEqual([...expected.slice(0, 3), 'Quito.']);
});

test('a recipe that names the type alone', () => {
  const row = { prompt, completion: 'Santiago.' };
  const content = openFormat('chat_template', [row], { fieldMessages: 'messages' }, '').read(row);
  expect(content).toMatchObject({ kind: 'chat', train: [false, false, false, null] });
});
