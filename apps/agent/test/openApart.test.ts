import { beforeEach, expect, onTestFinished, test } from 'vitest';
import { writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { type Apart, openApart } from '../src/runner/openApart.ts';
import { type Chat, openChat } from '../src/service/chat/open.ts';
import { finish } from '../src/service/finish.ts';
import { temporaryFolder } from './helpers/anneal.ts';

let source: string;
/** Greedy, this model never ends by itself. */
const long = { messages: [{ role: 'user', content: 'ant' }], temperature: 0, maxTokens: 480 };
const question = { messages: [{ role: 'user', content: 'ant' }], temperature: 1.5, maxTokens: 12 };

beforeEach(() => {
  source = writeTinyModel(temporaryFolder());
});

async function open(): Promise<Apart<Chat>> {
  const chat = await finish(openApart('chat', {}, { source, dtype: 'f32' }));
  onTestFinished(() => chat.close());
  return chat;
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('does what it does here: progress of opening, pieces and results, of several calls at once', async () => {
  const progress: unknown[] = [];
  const chat = await finish(openApart('chat', {}, { source, dtype: 'f32' }), (step) => progress.push(step));
  expect(progress.at(-1)).toMatchObject({ name: 'tiny-smollm2', loaded: expect.any(Number) });
  const pieces: unknown[] = [];
  const [end, warnings] = await Promise.all([
    finish(chat.call('answer', question), ({ text }) => pieces.push(text)),
    finish(chat.call('warnings', { temperature: 0 })),
  ]);
  const here = await finish(openChat({}, { source, dtype: 'f32' }));
  const same = await finish(here.answer(question));
  await here.close();
  expect(end).toMatchObject({ text: same.text, tokens: same.tokens });
  expect(pieces.join('')).toBe(same.text);
  expect(warnings).toEqual([]);
  await chat.close();
  expect(await chat.ended).toBeUndefined();
  expect(isThere(chat.pid)).toBe(false);
});

test('an error comes across as what it is, of opening and of a call, and the next call is answered', async () => {
  await expect(finish(openApart('chat', {}, { source: `${source}-gone` }))).rejects.toMatchObject({
    name: 'UserError',
    code: 'model_not_found',
  });
  const chat = await open();
  const wrong = finish(chat.call('answer', { messages: [], maxTokens: 4 }));
  await expect(wrong).rejects.toMatchObject({ code: 'bad_request', where: 'messages' });
  expect((await finish(chat.call('answer', { ...question, maxTokens: 1 }))).tokens).toBe(1);
});

test('a signal breaks one call off with what there is, and leaves it open', async () => {
  const chat = await open();
  const given = new AbortController();
  const answering = finish(chat.call('answer', long, given.signal));
  given.abort();
  expect(await answering).toMatchObject({ reason: 'interrupted' });
  for await (const _ of chat.call('answer', long)) break;
  expect((await finish(chat.call('answer', { ...question, maxTokens: 1 }))).tokens).toBe(1);
});

test('whoever stops listening before it is open ends its process', async () => {
  const given = new AbortController();
  given.abort();
  await expect(finish(openApart('chat', {}, { source }, given.signal))).rejects.toMatchObject({ name: 'AbortError' });
  for await (const _ of openApart('chat', {}, { source })) break;
});

test('closing breaks off what is being answered', async () => {
  const chat = await open();
  const [end] = await Promise.all([finish(chat.call('answer', long)), chat.close()]);
  expect(end).toMatchObject({ reason: 'interrupted' });
  await expect(finish(chat.call('answer', question))).rejects.toMatchObject({ code: 'process_died' });
});

test('a process that is killed is an error that says what to do, for those who wait and for those who come later', async () => {
  const chat = await open();
  const answering = finish(chat.call('answer', long));
  answering.catch(() => undefined); // looked at below
  process.kill(chat.pid, 'SIGKILL');
  await expect(answering).rejects.toMatchObject({
    code: 'process_died',
    what: expect.stringContaining('SIGKILL'),
  });
  expect(await chat.ended).toMatchObject({ code: 'process_died' });
  await expect(finish(chat.call('answer', question))).rejects.toMatchObject({ code: 'process_died' });
});

test('a call to a process that is gone, and has not been missed yet, says that it died', async () => {
  const chat = await open();
  process.kill(chat.pid, 'SIGKILL');
  // Nothing of this process runs meanwhile: not even what hears of its end.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  await expect(finish(chat.call('answer', question))).rejects.toMatchObject({ code: 'process_died' });
});
