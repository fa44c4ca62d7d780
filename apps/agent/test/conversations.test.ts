/** Conversations: they go on without a browser, are kept, and whoever comes back misses nothing. */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isOngoing } from '@anneal/core/protocol/chatTerms';
import type { Conversation, ConversationAnswer, ConversationNews } from '@anneal/core/protocol/conversations';
import { expect, it, onTestFinished, vi } from 'vitest';
import { writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { AgentState } from '../src/daemon/agentState.ts';
import type { Daemon } from '../src/daemon/daemon.ts';
import { client, makePlace, type Place, paired, start, type TestClient } from './helpers/daemon.ts';

const model = 'project/tiny-smollm2';
const settings = { temperature: 0, maxTokens: 24, seed: 7 };

async function open(): Promise<{ place: Place; daemon: Daemon; browser: TestClient }> {
  const place = makePlace();
  vi.stubEnv('ANNEAL_CACHE', join(place.workspace, '..', 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
  writeTinyModel(join(place.workspace, 'project'));
  const daemon = await start(place);
  return { place, daemon, browser: client(daemon, await paired(daemon)) };
}

/** As a browser does: the whole, and what is added to it. */
function applied(before: Conversation | undefined, news: ConversationNews): Conversation {
  if ('whole' in news) return news.whole;
  const now = before as Conversation;
  for (const { turn, column, from, answer } of news.answers) {
    const answers = now.turns[turn]?.answers as Conversation['turns'][number]['answers'];
    const { text, earlier } = answers[column] as ConversationAnswer;
    expect(from).toBe(text.length);
    answers[column] = { ...answer, earlier, text: text + answer.text };
  }
  return now;
}

/** Follows it until `enough`. */
function follow(
  { api }: TestClient,
  conversation: string,
  enough: (conversation: Conversation) => boolean = (now) => !now.turns.at(-1)?.answers.some(isOngoing),
): Promise<Conversation> {
  return new Promise((resolve, reject) => {
    let now: Conversation | undefined;
    const subscription = api.chat.follow.subscribe(
      { conversation },
      {
        onData: (news) => {
          now = applied(now, news);
          if (!enough(now)) return;
          subscription.unsubscribe();
          resolve(now);
        },
        onError: reject,
      },
    );
  });
}

const textsOf = (conversation: Conversation): string[][] =>
  conversation.turns.map(({ answers }) => answers.map(({ text }) => text));

it('answers in every column, with the same seed the same, and keeps the tokens', async () => {
  const { browser } = await open();
  expect(await browser.api.chat.models.query()).toMatchObject([{ id: model, kind: 'file' }]);
  const asked = { conversation: null, text: 'ant', models: [model, model], settings };
  const { conversation } = await browser.api.chat.ask.mutate(asked);
  const first = await follow(browser, conversation);
  const [turn] = first.turns;
  expect(turn?.answers).toMatchObject([
    { state: 'done', reason: 'length', tokens: 24, seed: 7, error: null },
    { state: 'done', tokens: 24 },
  ]);
  expect(turn?.answers[0]?.text).not.toBe('');
  expect(turn?.answers[1]?.text).toBe(turn?.answers[0]?.text);
  const [tokens] = await browser.api.chat.tokens.query({ conversation, turn: 0 });
  expect(tokens?.map(({ text }) => text).join('')).toBe(turn?.answers[0]?.text);
  expect(tokens?.every(({ top }) => top.length === 5)).toBe(true);
  expect(await browser.api.chat.memory.query({ model })).toBeNull();
});

it('regenerates with another seed, and a question that is edited takes the place of all after it', async () => {
  const { browser } = await open();
  const drawn = { ...settings, temperature: 1.5 };
  const { conversation } = await browser.api.chat.ask.mutate({
    conversation: null,
    text: 'ant',
    models: [model],
    settings: drawn,
  });
  const before = await follow(browser, conversation);
  await browser.api.chat.regenerate.mutate({ conversation, models: [model], settings: drawn });
  const again = await follow(browser, conversation);
  expect(again.turns[0]?.answers[0]).toMatchObject({ seed: 8, state: 'done' });
  expect(textsOf(again)).not.toEqual(textsOf(before));
  await browser.api.chat.ask.mutate({ conversation, text: 'bee', models: [model], settings });
  expect((await follow(browser, conversation)).turns).toHaveLength(2);
  await browser.api.chat.ask.mutate({ conversation, text: 'ant', models: [model], settings: drawn, turn: 0 });
  expect(textsOf(await follow(browser, conversation))).toEqual(textsOf(before));
});

it('goes on when the browser is gone, can be stopped, and one that comes back has all of it', async () => {
  const { browser, daemon, place } = await open();
  const asked = { text: 'ant', models: [model], settings };
  const { conversation } = await browser.api.chat.ask.mutate({ ...asked, conversation: null });
  browser.sockets.at(-1)?.terminate();
  const other = client(daemon, await paired(daemon));
  const whole = await follow(other, conversation);
  expect(whole.turns[0]?.answers[0]).toMatchObject({ state: 'done' });
  const long = { ...asked, conversation, settings: { ...settings, maxTokens: 400 } };
  const [, second] = await Promise.allSettled([other.api.chat.ask.mutate(long), other.api.chat.ask.mutate(long)]);
  expect(second).toMatchObject({ reason: { data: { error: { code: 'conversation_answering' } } } });
  await other.api.chat.stop.mutate({ conversation });
  expect(await follow(other, conversation)).toMatchObject({ turns: [{}, { answers: [{ state: 'stopped' }] }] });

  await daemon.close();
  const later = await start(place);
  const back = client(later, await paired(later));
  const kept = await follow(back, conversation);
  expect(textsOf(kept)).toEqual(textsOf(await follow(back, conversation)));
  expect(kept.turns[0]).toEqual(whole.turns[0]);
});

it('is deleted, and brought back', async () => {
  const { browser, place } = await open();
  const { conversation } = await browser.api.chat.ask.mutate({
    conversation: null,
    text: 'ant',
    models: [model],
    settings,
  });
  const kept = await follow(browser, conversation);
  const folder = join(new AgentState(place.workspace).folder, 'conversations');
  await browser.api.chat.remove.mutate({ conversation });
  expect(existsSync(join(folder, conversation))).toBe(false);
  await expect(browser.api.chat.remove.mutate({ conversation })).rejects.toMatchObject({
    data: { error: { code: 'conversation_not_found' } },
  });
  await browser.api.chat.restore.mutate({ conversation });
  expect((await follow(browser, conversation)).turns).toEqual(kept.turns);
  const outside = { conversation: '../../agent.lock' };
  await expect(browser.api.chat.restore.mutate(outside)).rejects.toMatchObject({
    data: { error: { code: 'conversation_not_found' } },
  });
  expect(readdirSync(folder)).toEqual([conversation]);
});

it('a column that cannot answer says why, and the others answer', async () => {
  const { browser } = await open();
  const asked = { conversation: null, text: 'ant', models: ['gone', model], settings: { ...settings, thinking: true } };
  const { conversation } = await browser.api.chat.ask.mutate(asked);
  expect((await follow(browser, conversation)).turns[0]?.answers).toMatchObject([
    { state: 'failed', error: { code: 'model_not_known' } },
    { state: 'done', note: expect.stringContaining('no such switch') },
  ]);
});

it('only checkpoints of the run that has answered are asked the same', async () => {
  const { browser } = await open();
  const asked = { conversation: null, text: 'ant', models: [model], settings };
  const { conversation } = await browser.api.chat.ask.mutate(asked);
  await follow(browser, conversation);
  const other = (column: number, wanted: string) =>
    new Promise((resolve, reject) => {
      const input = { conversation, column, model: wanted };
      browser.api.chat.checkpoint.subscribe(input, { onData: resolve, onError: reject });
    });
  await expect(other(0, model)).rejects.toMatchObject({ data: { error: { code: 'not_of_this_run' } } });
  await expect(other(3, model)).rejects.toMatchObject({ data: { error: { code: 'not_of_this_run' } } });
  await expect(other(0, 'gone')).rejects.toMatchObject({ data: { error: { code: 'model_not_known' } } });
});
