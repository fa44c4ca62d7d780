import { describe, expect, test } from 'vitest';
import type { JudgedAnswer } from '../types.ts';
import type { AnswerMode } from './answers.ts';
import type { FieldOptions, RowValue } from './format.ts';
import { openReader } from './index.ts';

/** Of each row its answers as `side: prompt > answer`, or why it has none. */
function read(mode: AnswerMode, rows: readonly RowValue[], options: FieldOptions = {}, type = 'auto'): string[] {
  const reader = openReader(mode, type, rows, options, 'rows.jsonl');
  return rows.flatMap((row) => {
    const result = reader.read(row);
    if ('kind' in result) return result.kind === 'dropped' ? [`${result.reason}: ${result.detail}`] : ['no answers'];
    return result.map(described);
  });
}

function described({ side, content: { messages, train } }: JudgedAnswer): string {
  const said = (trained: boolean) =>
    messages.filter((_, i) => (train[i] !== false) === trained).map(({ role, content }) => `${role[0]}=${content}`);
  return `${side}: ${said(false).join(' ')} > ${said(true).join(' ')}`;
}

const pair = ['chosen: u=q > a=yes', 'rejected: u=q > a=no'];
const user = { role: 'user', content: 'q' };
const [yes, no] = ['yes', 'no'].map((content) => ({ role: 'assistant', content }));

describe('pairs', () => {
  test.each<[string, RowValue]>([
    ['texts', { prompt: 'q', chosen: 'yes', rejected: 'no' }],
    ['lists of messages', { prompt: [user], chosen: [yes], rejected: [no] }],
    ['whole conversations with a common beginning', { chosen: [user, yes], rejected: [user, no] }],
    [
      'whole conversations beside copies of a part',
      { prompt: 'q', messages: [user, yes], chosen: [user, yes], rejected: [user, no] },
    ],
    ['a conversation and two messages', { messages: [user], chosen: yes, rejected: no }],
    [
      "LLaMA-Factory's form of ShareGPT",
      {
        conversations: [{ from: 'human', value: 'q' }],
        chosen: { from: 'gpt', value: 'yes' },
        rejected: { from: 'gpt', value: 'no' },
      },
    ],
    ["LLaMA-Factory's form of Alpaca", { instruction: 'q', input: '', chosen: 'yes', rejected: 'no' }],
    ['names in other letters', { Prompt: 'q', Chosen: 'yes', Rejected: 'no' }],
  ])('%s', (_, row) => {
    expect(read('pairs', [row])).toEqual(pair);
  });

  test('columns that the recipe names', () => {
    const rows = [{ question: 'q', better: 'yes', worse: 'no' }];
    expect(read('pairs', rows, { fieldChosen: 'better', fieldRejected: 'worse' })).toEqual(pair);
  });

  test('a margin that the recipe names, which is no part of the prompt', () => {
    const rows = [0.5, '-2', 1e60, null].map((by) => ({
      instruction: 'q',
      input: '',
      by,
      chosen: 'yes',
      rejected: 'no',
    }));
    const reader = openReader('pairs', 'auto', rows, { fieldMargin: 'By' }, 'rows.jsonl');
    const margins = rows.map((row) => {
      const result = reader.read(row);
      return 'kind' in result ? result.kind === 'dropped' && result.detail : result.map(({ margin }) => margin);
    });
    const none = "the field 'by' holds no number: the margin of the pair";
    expect(margins).toEqual([[0.5, undefined], [-2, undefined], none, none]);
    expect(rows.flatMap((row) => reader.unread(row))).toEqual([]);
    expect(openReader('pairs', 'auto', rows, {}, 'rows.jsonl').unread(rows[0] as RowValue)).toEqual(['by']);
  });

  test.each<[string, RowValue]>([
    ['alpaca pairs', { prompt: 'q', chosen: 'yes', rejected: 'no' }],
    ['chat_template pairs', { chosen: [user, yes], rejected: [user, no] }],
  ])('are told to be %s', (format, row) => {
    expect(openReader('pairs', 'auto', [row], {}, 'rows.jsonl').format).toBe(format);
  });

  test('only what comes after the prompt is trained, of several turns', () => {
    const before = [{ role: 'system', content: 's' }, user, { role: 'assistant', content: 'a' }, user];
    expect(read('pairs', [{ chosen: [...before, yes], rejected: [...before, no] }])).toEqual([
      'chosen: s=s u=q a=a u=q > a=yes',
      'rejected: s=s u=q a=a u=q > a=no',
    ]);
  });

  test.each<[string, RowValue, string]>([
    [
      'no rejected answer',
      { prompt: 'q', chosen: 'yes' },
      "answer_missing: the row has no rejected answer: the field 'rejected' is missing",
    ],
    [
      'an empty chosen answer',
      { prompt: 'q', chosen: ' ', rejected: 'no' },
      "answer_missing: the row has no chosen answer: the field 'chosen' is empty",
    ],
    [
      'equal answers',
      { prompt: 'q', chosen: 'yes', rejected: 'yes' },
      'answers_equal: the chosen and the rejected answer say the same',
    ],
    [
      'an answer that is a number',
      { prompt: 'q', chosen: 'yes', rejected: 3 },
      "malformed_row: rejected answer: the field 'rejected' is not text",
    ],
  ])('%s', (_, row, verdict) => {
    const whole = { prompt: 'q', chosen: 'yes', rejected: 'no' };
    expect(read('pairs', [whole, whole, row]).slice(4)).toEqual([verdict]);
  });

  test('a conversation that ends before the other begins to differ', () => {
    const whole = { chosen: [user, yes], rejected: [user, no] };
    expect(read('pairs', [whole, { chosen: [user, yes], rejected: [user] }]).slice(2)).toEqual([
      'answer_missing: the rejected answer adds nothing to the prompt',
    ]);
  });

  test('data without pairs are refused, with what there is', () => {
    expect(() => read('pairs', [{ instruction: 'q', output: 'yes' }])).toThrow(
      'no column says which answers are preferred; there are instruction, output',
    );
  });

  test('of answers that are judged one by one, what learns from them is named', () => {
    expect(() => read('pairs', [{ prompt: 'q', completion: 'yes', label: true }])).toThrow(
      expect.objectContaining({ next: expect.stringMatching(/'label' calls good or bad learns rl: kto$/) }),
    );
  });
});

describe('answers that are judged one by one', () => {
  test.each<[string, RowValue[]]>([
    [
      'texts',
      [
        { prompt: 'q', completion: 'yes', label: true },
        { prompt: 'q', completion: 'no', label: false },
      ],
    ],
    [
      'conversations',
      [
        { messages: [user, yes], label: true },
        { messages: [user, no], label: false },
      ],
    ],
    [
      'labels in text, as in a table',
      [
        { prompt: 'q', completion: 'yes', label: 'True' },
        { prompt: 'q', completion: 'no', label: 'false' },
      ],
    ],
    [
      'numbers',
      [
        { prompt: 'q', completion: 'yes', label: 1 },
        { prompt: 'q', completion: 'no', label: 0 },
      ],
    ],
    [
      "LLaMA-Factory's tag",
      [
        { instruction: 'q', output: 'yes', kto_tag: true },
        { instruction: 'q', output: 'no', kto_tag: false },
      ],
    ],
    ['a pair, which is two', [{ prompt: 'q', chosen: 'yes', rejected: 'no' }]],
  ])('%s', (_, rows) => {
    expect(read('judged', rows)).toEqual(pair);
  });

  test.each<[string, RowValue, string]>([
    ['no label', { prompt: 'q', completion: 'yes' }, "label_missing: the field 'label' is neither true nor false"],
    [
      'a label of another kind',
      { prompt: 'q', completion: 'yes', label: 'good' },
      "label_missing: the field 'label' is neither true nor false",
    ],
    ['no answer', { prompt: 'q', completion: '', label: true }, "empty: the field 'completion' is empty"],
  ])('%s', (_, row, verdict) => {
    const whole = { prompt: 'q', completion: 'yes', label: true };
    expect(read('judged', [whole, whole, row]).slice(2)).toEqual([verdict]);
  });

  test('a conversation that does not end with an answer', () => {
    expect(
      read('judged', [
        { messages: [user, yes], label: true },
        { messages: [user], label: true },
      ]).slice(1),
    ).toEqual(['answer_missing: the row does not end with an answer']);
  });
});
