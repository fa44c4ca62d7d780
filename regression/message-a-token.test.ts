/** An answer was told a message a token, however fast they came, though a client is told at most five things a second. */
import { expect, test } from 'vitest';
import { tokenHolder } from '../apps/agent/src/daemon/auth/access.ts';
import { Pace } from '../apps/agent/src/daemon/pace.ts';
import { appRouter } from '../apps/agent/src/daemon/router/index.ts';

const tokens = 100;

test('an answer of many tokens comes in few messages, its first token at once, and none is lost', async () => {
  const rest = Promise.withResolvers<void>();
  const models = {
    unread: async () => [],
    async *answer() {
      yield { text: '1', tokens: 1, token: null };
      await rest.promise;
      for (let at = 2; at <= tokens; at++) {
        yield { text: ` ${at}`, tokens: at, token: null };
        await new Promise((resolve) => setTimeout(resolve, 4));
      }
      return { text: 'all', tokens };
    },
  };
  const agent = { models, chattables: { find: async () => ({}) } };
  const counts = { unanswered: { count: 0 }, subscriptions: { count: 0 }, late: new Map() };
  const context = { agent, pace: new Pace(), caller: { session: undefined, person: () => tokenHolder, ...counts } };
  const begin = performance.now();
  const request = { messages: [{ role: 'user' as const, content: 'count' }] };
  const answer = await appRouter.createCaller(context as never).chat.answer({ model: 'small', request });
  const messages: { pieces: { text: string; tokens: number }[]; end: unknown }[] = [];
  for await (const news of answer as AsyncIterable<(typeof messages)[number]>) {
    messages.push(news);
    rest.resolve(); // the first came while the second was not yet made
  }
  expect(messages.length).toBeLessThanOrEqual((performance.now() - begin) / 200 + 1);
  const pieces = messages.flatMap((message) => message.pieces);
  expect(pieces.map((piece) => piece.tokens)).toEqual(Array.from({ length: tokens }, (_, at) => at + 1));
  expect(messages.map(({ end }) => end !== null)).toEqual(messages.map((_, at) => at === messages.length - 1));
});
