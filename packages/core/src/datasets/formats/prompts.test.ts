import { expect, test } from 'vitest';
import { openReader } from './index.ts';

const asked = { role: 'user', content: 'What is 1 + 1?' };

test.each([
  ['a prompt alone', { prompt: 'What is 1 + 1?' }],
  ['with an answer that is no text', { question: 'What is 1 + 1?', answer: 2 }],
  ['with an answer', { instruction: 'What is 1 + 1?', output: '2' }],
  ['with an empty one', { instruction: 'What is 1 + 1?', output: '' }],
  ['messages', { prompt: [asked], answer: '2' }],
  ['a conversation', { messages: [asked, { role: 'assistant', content: '2' }] }],
  ['a conversation without an answer', { messages: [asked] }],
])('%s asks what it asks', (_, row) => {
  const reader = openReader('sampled', 'auto', [row], {}, 'rows.jsonl');
  expect(reader.read(row)).toMatchObject({ kind: 'chat', messages: [asked], train: [false], isPrompt: true });
  expect(reader.unread(row)).toEqual([]);
});

test('only what comes before the last answer is asked', () => {
  const earlier = [asked, { role: 'assistant', content: '2' }, { role: 'user', content: 'And + 1?' }];
  const row = { messages: [...earlier, { role: 'assistant', content: '3' }] };
  expect(openReader('sampled', 'auto', [row], {}, 'rows.jsonl').read(row)).toMatchObject({ messages: earlier });
});

test('a row that asks nothing is dropped', () => {
  const rows = [{ messages: [asked] }, { messages: [{ role: 'assistant', content: 'hello' }] }];
  const reader = openReader('sampled', 'auto', rows, {}, 'rows.jsonl');
  expect(reader.read(rows[1] as Record<string, unknown>)).toMatchObject({ kind: 'dropped', reason: 'empty' });
});
