// An answer that was stopped while it went on with what a tool gave had no way to go on again: only the whole question could be asked anew.
import { expect, test } from 'vitest';
import { unanswered } from '../apps/agent/src/daemon/chat/answering.ts';
import { type ConversationParts, OpenConversation } from '../apps/agent/src/daemon/chat/openConversation.ts';
import type { AnswerEnd, AnswerRequest } from '../packages/core/src/protocol/chat.ts';

const call = { id: 'call00000', type: 'function' as const, function: { name: 'clock', arguments: '{}' } };
const settings = { system: '', tools: '[{"name": "clock"}]', maxTokens: 8, seed: 1 };

/** With a model that is asked and says nothing until it is stopped; `end` lets it end. */
function open() {
  const asked: AnswerRequest[] = [];
  let reason: AnswerEnd['reason'] = 'interrupted';
  const parts = {
    files: { write: () => undefined, writeTokens: () => undefined },
    chattables: { find: async () => ({}) },
    models: {
      unread: async () => [],
      async *answer(_: unknown, request: AnswerRequest, { signal }: { signal: AbortSignal }) {
        asked.push(request);
        if (reason === 'interrupted') await new Promise((resolve) => signal.addEventListener('abort', resolve));
        yield { text: 'It', tokens: 1 };
        return {
          text: 'It',
          toolCalls: [],
          promptTokens: 1,
          tokens: 1,
          reason,
          firstMilliseconds: 1,
          tokensPerSecond: 1,
        };
      },
    },
    log: (text: string) => expect.unreachable(text),
  } as unknown as ConversationParts;
  const answer = { ...unanswered('m', 1), state: 'done' as const, text: 'I look. …', calls: [call], callsAt: 7 };
  const turns = [{ text: 'What time is it?', answers: [answer], others: [] }];
  const opened = new OpenConversation(parts, { id: 'c', created: '', changed: '', models: ['m'], settings, turns });
  const last = () => opened.conversation.turns[0]?.answers[0];
  return { opened, asked, last, end: () => (reason = 'stop') };
}

test('what was stopped on its way can go on again, with other results, too', async () => {
  const { opened, asked, last, end } = open();
  opened.goOn(0, ['noon']);
  await expect.poll(() => asked.length).toBe(1);
  await opened.stop();
  expect(last()).toMatchObject({ state: 'stopped', earlier: [{ text: 'I look.', calls: [{ result: 'noon' }] }] });
  expect(() => opened.goOn(0, ['noon', 'one'])).toThrow('1 calls of tools, and 2 results came');
  end();
  opened.goOn(0, ['midnight']);
  await expect.poll(() => last()?.state).toBe('done');
  expect(last()?.earlier).toEqual([{ text: 'I look.', calls: [{ ...call, result: 'midnight' }] }]);
  expect(asked[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool']);
  expect(() => opened.goOn(0, ['midnight'])).toThrow('0 calls');
});
