/**
 * Rows in no known format were answered with columns that would have trained something else: the questions, where the answers
 * are numbers; a conversation as the answer to its system prompt; the numbers of an index.
 */
import { openReader } from '@anneal/core/datasets/formats/index';
import type { UserError } from '@anneal/core/errors';
import { expect, it } from 'vitest';

function refusal(rows: readonly Record<string, unknown>[], where = 'rows.jsonl'): UserError {
  try {
    openReader(null, 'auto', rows, {}, where);
  } catch (error) {
    return error as UserError;
  }
  throw new Error('the rows are read');
}

it.each([
  ['numbers', [{ question: '1 + 1', answer: 2 }]],
  [
    'numbers and gaps',
    [
      { question: '1 + 1', answer: 2.5 },
      { question: 'x', answer: null },
    ],
  ],
  ['a struct', [{ question: 'q', context: 'c', answers: { text: ['a'], answer_start: [3] } }]],
  ['a list', [{ text: 'Which?', response: ['a', 'b'] }]],
])('answers that are %s', (_, rows) => {
  const { next } = refusal(rows);
  expect(next).toContain('write them as text in a column of its own');
  expect(next).not.toContain('beside path');
});

it('names a column that holds gaps and no text', () => {
  expect(
    refusal([
      { id: 1, question: '1 + 1', answer: 2 },
      { id: 2, question: 'x', answer: null },
    ]).what,
  ).toContain('id, answer without text');
});

it('takes no system prompt for a question', () => {
  const { next } = refusal([{ system: 'You help.', chat: 'USER: Hi\n\nASSISTANT: Hello' }]);
  expect(next).not.toContain('field_instruction: system');
});

it.each([
  ['as it is by default', { instruction: { 0: 'a', 1: 'b' }, output: { 0: 'x', 1: 'y' } }],
  ['by index', { 0: { instruction: 'a', output: 'x' }, 1: { instruction: 'b', output: 'y' } }],
  ['split', { columns: ['instruction', 'output'], index: [0], data: [['a', 'x']] }],
  ['as lists', { instruction: ['a', 'b'], output: ['x', 'y'] }],
])('a whole table of pandas in one object, %s', (_, row) => {
  expect(refusal([row]).next).toContain('orient="records", lines=True');
});

it("OpenAI's form for preferences", () => {
  const row = {
    input: { messages: [{ role: 'user', content: 'q' }] },
    preferred_output: [{ role: 'assistant', content: 'good' }],
    non_preferred_output: [{ role: 'assistant', content: 'bad' }],
  };
  for (const mode of [null, 'pairs'] as const) {
    expect(() => openReader(mode, 'auto', [row], {}, 'rows.jsonl')).toThrow(/form for preferences/);
  }
});

it('a table whose header may be missing', () => {
  expect(refusal([{ 'Say hi': 'Say bye', Hello: 'Bye' }], 'rows.csv').next).toContain('first line of the file');
});

it('takes JSON that was written twice for JSON', () => {
  const talk = JSON.stringify(JSON.stringify([{ speaker: 'a', says: 'Hi' }]));
  expect(refusal([{ id: 1, talk }]).next).not.toContain('begin as JSON and are none');
});
