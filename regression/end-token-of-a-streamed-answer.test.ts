/**
 * The logarithmic probabilities of a streamed answer had one token more than those of the same answer as a whole: the one that
 * ended it. And keys beside the known ones of a tool's definition or call were dropped without a word.
 */
import type { AnswerEnd, AnswerPiece } from '@anneal/core/protocol/chat';
import { expect, it } from 'vitest';
import { chatForm, completionForm } from '../apps/agent/src/daemon/openai/answers.ts';
import { chatParameters } from '../apps/agent/src/daemon/openai/parameters.ts';

const token = (text: string) => ({ id: 1, text, logprob: -1, bytes: [...Buffer.from(text)], top: [] });
/** Half a character says nothing yet, and is a token of the answer all the same. */
const pieces: AnswerPiece[] = ['No', '', 'é', ''].map((text, at) => ({
  text,
  tokens: at + 1,
  token: token(text || '?'),
}));

type Choice = { logprobs: { content?: unknown[]; tokens?: unknown[] } | null };
const countOf = (answer: object | null): number => {
  const { logprobs } = (answer as { choices: Choice[] } | null)?.choices[0] ?? { logprobs: null };
  return (logprobs?.content ?? logprobs?.tokens ?? []).length;
};

it.each([
  ['stop', 3],
  ['length', 4],
] as const)('a stream that ends by %s tells of the tokens that the whole does', (reason, expected) => {
  const end: AnswerEnd = {
    text: 'Noé',
    toolCalls: [],
    promptTokens: 1,
    tokens: 4,
    reason,
    firstMilliseconds: 1,
    tokensPerSecond: 1,
  };
  for (const make of [() => chatForm('m', { messages: [] }), () => completionForm('m', 'a')]) {
    const form = make();
    const streamed = [...pieces.map((piece) => form.chunk(piece)), form.closing(end)];
    expect(streamed.map(countOf).reduce((a, b) => a + b)).toBe(expected);
    expect(countOf(make().whole(end, pieces))).toBe(expected);
  }
});

const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } };
const tool = { type: 'function', function: { name: 'f', strict: true } };
const parse = (given: object) =>
  chatParameters.safeParse({ model: 'm', messages: [{ role: 'user', content: 'a' }], ...given });
const called = (given: object) => parse({ messages: [{ role: 'assistant', content: '', tool_calls: [given] }] });

it('keys that nothing is made of are refused beside tools and their calls', () => {
  expect(parse({ tools: [tool] }).success).toBe(true);
  expect(called({ ...call, index: 0 }).success).toBe(true);
  expect(parse({ tools: [{ ...tool, other: 1 }] }).error?.issues[0]).toMatchObject({ keys: ['other'] });
  expect(called({ ...call, other: 1 }).error?.issues[0]).toMatchObject({ keys: ['other'] });
  expect(called({ ...call, function: { ...call.function, other: 1 } }).error?.issues[0]).toMatchObject({
    keys: ['other'],
  });
});
