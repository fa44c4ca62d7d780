import type { AnswerEnd, AnswerPiece } from '@anneal/core/protocol/chat';
import { expect, test } from 'vitest';
import { chatForm } from './answers.ts';

const tools = [{ type: 'function', function: { name: 'weather', parameters: {} } }];
const called = 'Let me look.\n<tool_call>\n{"name": "weather", "arguments": {"city": "Lima"}}\n</tool_call>';
const call = {
  id: 'call00000',
  type: 'function' as const,
  function: { name: 'weather', arguments: '{"city": "Lima"}' },
};

function endOf(text: string, toolCalls: AnswerEnd['toolCalls']): AnswerEnd {
  return { text, toolCalls, promptTokens: 9, tokens: 20, reason: 'stop', firstMilliseconds: 1, tokensPerSecond: 1 };
}

function pieceOf(text: string, i: number): AnswerPiece {
  return { text, tokens: i + 1, token: null };
}

/** What a client puts together of the chunks. */
function streamed(pieces: readonly string[], end: AnswerEnd): { content: string; calls: unknown[]; finish: unknown } {
  const form = chatForm('model', { messages: [], tools });
  const chunks = [...pieces.map((part, i) => form.chunk(pieceOf(part, i))), form.closing(end)];
  const choices = chunks.flatMap((chunk) => (chunk as { choices: Choice[] } | null)?.choices ?? []);
  return {
    content: choices.map(({ delta }) => delta.content ?? '').join(''),
    calls: choices.flatMap(({ delta }) => delta.tool_calls ?? []),
    finish: choices.at(-1)?.finish_reason,
  };
}

interface Choice {
  delta: { content?: string; tool_calls?: unknown[] };
  finish_reason: string | null;
}

test('calls of tools come apart from what is said, whole and in chunks of any length', () => {
  const end = endOf(called, [call]);
  for (const length of [1, 3, 20, called.length]) {
    const pieces = called.match(new RegExp(`[\\s\\S]{1,${length}}`, 'g')) as string[];
    const { content, calls, finish } = streamed(pieces, end);
    expect(content.trimEnd()).toBe('Let me look.');
    expect(calls).toEqual([{ index: 0, ...call }]);
    expect(finish).toBe('tool_calls');
  }
  expect(chatForm('model', { messages: [], tools }).whole(end, [])).toMatchObject({
    choices: [{ message: { content: 'Let me look.', tool_calls: [call] }, finish_reason: 'tool_calls' }],
  });
});

test('what only looks like a call is said in full', () => {
  const said = 'In JSON: {"a": [1, 2]} <b>';
  expect(streamed([...said], endOf(said, []))).toEqual({ content: said, calls: [], finish: 'stop' });
});
