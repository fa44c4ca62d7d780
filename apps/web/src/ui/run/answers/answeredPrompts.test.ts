import type { ListedAnswer } from '@anneal/core/protocol/answers';
import { expect, test } from 'vitest';
import { answeredPrompts } from './answeredPrompts.ts';

const answer = (row: number, prompt: string, number: number, reward: number): ListedAnswer => ({
  file: 'sums.jsonl',
  row,
  answer: number,
  prompt,
  text: `answer ${number}`,
  ended: true,
  reward,
  rewards: { numeric: reward },
  advantage: reward,
  tokens: 3,
});

test('answers are grouped by their prompts, the best first', () => {
  const prompts = answeredPrompts([
    answer(3, 'system\nuser 3 + 4?', 0, 0),
    answer(3, 'system\nuser 3 + 4?', 1, 1),
    answer(1, 'system\nuser 3 + 5?', 0, 0.5),
    answer(1, 'system\nuser 3 + 5?', 1, 0.5),
  ]);
  expect(
    prompts.map(({ document, row, excerpt, reward, answers }) => ({
      document,
      row,
      excerpt,
      reward,
      answers: answers.map((given) => given.answer),
    })),
  ).toEqual([
    { document: 0, row: 3, excerpt: 'user 3 + 4?', reward: 0.5, answers: [1, 0] },
    { document: 1, row: 1, excerpt: 'user 3 + 5?', reward: 0.5, answers: [0, 1] },
  ]);
});

test.each([
  [['one\ntwo'], ['one\ntwo']],
  [
    ['one', 'one'],
    ['one', 'one'],
  ],
  [
    ['a\nb\nc', 'a\nb\nd'],
    ['c', 'd'],
  ],
  [
    ['ab\nc', 'ac\nc'],
    ['ab\nc', 'ac\nc'],
  ],
])('what prompts share is left out of their excerpts, but never a part of a line: %j', (prompts, excerpts) => {
  const answers = prompts.map((prompt, row) => answer(row + 1, prompt, 0, 1));
  expect(answeredPrompts(answers).map(({ excerpt }) => excerpt)).toEqual(excerpts);
});
