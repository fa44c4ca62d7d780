import { expect, test } from 'vitest';
import { rowOfAnswer } from './rowOfAnswer.ts';

const said = { system: '', question: 'Q', answer: 'A' };

test.each<[string, Record<string, unknown>, Record<string, unknown>]>([
  [
    'sharegpt',
    {
      conversations: [
        { from: 'human', value: 'x' },
        { from: 'gpt', value: 'y' },
      ],
    },
    {
      conversations: [
        { from: 'human', value: 'Q' },
        { from: 'gpt', value: 'A' },
      ],
    },
  ],
  [
    'messages of other names',
    {
      dialog: [
        { speaker: 'customer', text: 'x' },
        { speaker: 'agent', text: 'y' },
      ],
    },
    {
      dialog: [
        { speaker: 'customer', text: 'Q' },
        { speaker: 'agent', text: 'A' },
      ],
    },
  ],
  ['alpaca', { instruction: 'x', input: '', output: 'y' }, { instruction: 'Q', input: '', output: 'A' }],
  ['a question and an answer', { question: 'x', answer: 'y' }, { question: 'Q', answer: 'A' }],
])('%s', (_, row, expected) => {
  expect(JSON.parse(rowOfAnswer([row, row], said, 'rows.jsonl'))).toEqual(expected);
});

test.each<[string, Record<string, unknown>, typeof said]>([
  ['texts', { text: 'once' }, said],
  ['pairs', { prompt: 'x', chosen: 'y', rejected: 'z' }, said],
  ['answers that are marked', { prompt: 'x', completion: 'y', label: true }, said],
  ['no place for a system prompt', { question: 'x', answer: 'y' }, { ...said, system: 'S' }],
])('nothing is lost: %s are refused', (_, row, given) => {
  expect(() => rowOfAnswer([row], given, 'rows.jsonl')).toThrow(expect.objectContaining({ code: 'row_form_unknown' }));
});
