/** What a connection is bounded by in time: pings that have to be answered, and ten seconds for a request. */
import { once } from 'node:events';
import { Hono } from 'hono';
import { expect, it, onTestFinished, vi } from 'vitest';
import { WebSocket } from 'ws';
import { tokenHolder } from '../src/daemon/auth/access.ts';
import { createHttp } from '../src/daemon/http.ts';
import { appRouter } from '../src/daemon/router/index.ts';
import { makePlace, openSocket, paired, start } from './helpers/daemon.ts';

const seconds = (count: number) => vi.advanceTimersByTime(count * 1000);

it.each(['/trpc', '/recipes/live'])('%s: a client is asked every 25 seconds whether it is there', async (path) => {
  const daemon = await start(makePlace());
  const cookie = await paired(daemon);
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  onTestFinished(() => void vi.useRealTimers());
  const present = await openSocket(daemon, cookie, path);
  const silent = await openSocket(daemon, cookie, path, { autoPong: false });
  const [pings, pongs]: [string[], Promise<unknown>[]] = [[], []];
  for (const [name, socket] of Object.entries({ present, silent })) {
    socket.on('ping', () => pings.push(name));
    pongs.push(once(socket, 'ping'));
  }
  seconds(24.9);
  expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
  expect(pings).toEqual([]);
  seconds(0.1);
  await Promise.all(pongs);
  expect(pings.sort()).toEqual(['present', 'silent']);
  // What the one that is there has answered has arrived before its next word.
  present.ping();
  await once(present, 'pong');
  const gone = once(silent, 'close');
  seconds(25);
  await gone;
  expect(present.readyState).toBe(WebSocket.OPEN);
});

it('no request is held longer than ten seconds, and one that changes something is recorded when it has ended', async () => {
  const recorded: unknown[] = [];
  const { promise, resolve } = Promise.withResolvers<never>();
  const agent = { feeds: { get: () => promise }, audit: { record: (entry: unknown) => recorded.push(entry) } };
  const counts = { unanswered: { count: 0 }, subscriptions: { count: 0 }, late: new Map() };
  const context = { agent, pace: {}, caller: { session: undefined, person: () => tokenHolder, ...counts } };
  const asked = appRouter.createCaller(context as never);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const late = { code: 'TIMEOUT', cause: { code: 'still_working' } };
  const ends = [asked.runs.get({ run: 'a' }), asked.runs.note({ run: 'a', text: 'b' })].map((end) =>
    expect(end).rejects.toMatchObject(late),
  );
  await vi.waitFor(() => expect(counts.unanswered.count).toBe(2));
  seconds(10);
  await Promise.all(ends);
  expect([counts.unanswered.count, recorded]).toEqual([0, []]);
  resolve(Promise.reject(new Error('a defect')) as never);
  await vi.waitFor(() => expect(recorded).toMatchObject([{ action: 'runs.note', outcome: 'internal_server_error' }]));
});

it.each(['/metrics', '/api/runs/steps?run=a', '/api/runs/comparison?run=a&run=b', '/api/data/rows?file=a&filter=all'])(
  '%s is held no longer than ten seconds, and says that it goes on',
  async (path) => {
    const asked = vi.fn(() => new Promise<never>(() => {}));
    const callers = { identify: () => ({ may: () => true }) };
    const pieces = { callers, metrics: asked, feeds: { get: asked }, data: { use: asked }, api: new Hono() };
    const http = createHttp(pieces as never);
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const answer = http.request(path);
    await vi.waitFor(() => expect(asked).toHaveBeenCalled());
    seconds(10);
    const given = await answer;
    expect([given.status, await given.json()]).toMatchObject([
      503,
      { error: { code: 'still_working', next: 'ask again in a moment' } },
    ]);
  },
);
