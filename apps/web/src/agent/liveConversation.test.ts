import type { Conversation, ConversationAnswer } from '@anneal/core/protocol/conversations';
import { expect, test } from 'vitest';
import { withNews } from './liveConversation.ts';

const answer: ConversationAnswer = {
  model: 'small',
  seed: 1,
  state: 'answering',
  text: 'The ',
  tokens: 1,
  promptTokens: null,
  loaded: null,
  firstMilliseconds: null,
  tokensPerSecond: null,
  reason: null,
  note: null,
  error: null,
  earlier: [{ text: 'I look.', calls: [] }],
  calls: [],
  callsAt: null,
  unread: [],
};
const whole: Conversation = {
  id: 'one',
  created: '',
  changed: '',
  models: ['small'],
  settings: { system: '', tools: '', maxTokens: 8, seed: 1 },
  turns: [{ text: 'When?', answers: [answer], others: [] }],
};

/** What comes of an answer: parts that it said before are sent once, with the whole. */
const { earlier: _, ...told } = answer;

test('what is new is added at its place, and what was shown stays as it was', () => {
  const news = { answers: [{ turn: 0, column: 0, from: 4, answer: { ...told, tokens: 2, text: 'ferry' } }] };
  const now = withNews(whole, news);
  expect(now?.turns[0]?.answers[0]).toMatchObject({ text: 'The ferry', tokens: 2, earlier: answer.earlier });
  expect(whole.turns[0]?.answers[0]?.text).toBe('The ');
  // The same again, as after a pause, adds nothing twice.
  expect(withNews(now, news)).toEqual(now);
  expect(withNews(undefined, news)).toBeUndefined();
  expect(withNews(now, { whole })).toBe(whole);
});
