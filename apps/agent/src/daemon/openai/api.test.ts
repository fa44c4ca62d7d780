import { UserError } from '@anneal/core/errors';
import type { AnswerEnd, AnswerPiece } from '@anneal/core/protocol/chat';
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Callers } from '../auth/callers.ts';
import type { Chattables } from '../chat/chattables.ts';
import type { LoadedModels } from '../chat/loadedModels.ts';
import { createApi } from './api.ts';

const end: AnswerEnd = {
  text: 'Aye.',
  toolCalls: [],
  promptTokens: 1,
  tokens: 1,
  reason: 'stop',
  firstMilliseconds: 1,
  tokensPerSecond: 0,
};

/** An API whose one model answers as it is told to. */
function apiOf(answer: () => AsyncGenerator<AnswerPiece, AnswerEnd>, keepAlive?: number) {
  const said: string[] = [];
  const api = createApi({
    callers: { identify: () => ({ key: 'me', may: () => true }) } as unknown as Callers,
    chattables: { find: async (id: string) => ({ id }) } as unknown as Chattables,
    models: { unread: async () => [], answer } as unknown as LoadedModels,
    log: (text) => said.push(text),
    ...(keepAlive !== undefined && { keepAlive }),
  });
  const ask = (body: unknown, path = '/chat/completions') =>
    api.request(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body) ?? '',
    });
  return { ask, said };
}

async function* once(): AsyncGenerator<AnswerPiece, AnswerEnd> {
  yield { text: 'Aye.', tokens: 1, token: null };
  return end;
}

const question = { model: 'small', messages: [{ role: 'user', content: 'When?' }] };

test('a stream that has to wait for its model says so, and errors after that stand in it', async () => {
  let begin: ((how: 'answer' | 'fail') => void) | undefined;
  const { ask } = apiOf(async function* () {
    const how = await new Promise<'answer' | 'fail'>((resolve) => {
      begin = resolve;
    });
    if (how === 'fail') throw new UserError({ what: 'no memory', code: 'out_of_memory' });
    return yield* once();
  }, 20);
  for (const how of ['answer', 'fail'] as const) {
    const answer = await ask({ ...question, stream: true });
    expect(answer.status).toBe(200);
    const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
    const decoder = new TextDecoder();
    let text = decoder.decode((await reader.read()).value);
    expect(text).toBe(': waiting for the model\n\n');
    begin?.(how);
    for (let part = await reader.read(); !part.done; part = await reader.read()) text += decoder.decode(part.value);
    if (how === 'answer')
      expect(text).toMatch(/"content":"Aye\."[\s\S]*"finish_reason":"stop"[\s\S]*data: \[DONE\]\n\n$/);
    else expect(text).toContain('"error":{"message":"no memory"');
  }
});

test('a defect is told as one, and what it was is said in the output of the agent alone', async () => {
  const { ask, said } = apiOf(async function* () {
    yield* [];
    throw new Error('secret of the agent');
  });
  const answer = await ask(question);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain('secret');
  expect(said).toEqual([expect.stringContaining('secret of the agent')]);
});

test('whatever is asked, there is an answer or an error in the form of the API', async () => {
  const { ask, said } = apiOf(once);
  const near = fc.record(
    {
      model: fc.anything(),
      messages: fc.oneof(
        fc.anything(),
        fc.array(fc.record({ role: fc.constantFrom('user', 'tool', 'x'), content: fc.anything() })),
      ),
      prompt: fc.anything(),
      stream: fc.boolean(),
      stop: fc.anything(),
      tools: fc.anything(),
      logprobs: fc.anything(),
      metadata: fc.anything(),
      ['__proto__']: fc.anything(),
    },
    { requiredKeys: [] },
  );
  const paths = fc.constantFrom('/chat/completions', '/completions');
  await fc.assert(
    fc.asyncProperty(fc.oneof(fc.jsonValue(), near, fc.constant(question)), paths, async (body, path) => {
      const text = JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? String(value) : value));
      const answer = await ask(text === undefined ? null : JSON.parse(text), path);
      const answered = await answer.text();
      if (answer.status === 200) return;
      expect(answer.status).toBe(400);
      expect(JSON.parse(answered).error).toMatchObject({ type: 'invalid_request_error', code: expect.any(String) });
    }),
    { numRuns: 500, seed: 3407 },
  );
  expect(said).toEqual([]);
});
