// One message could ask thousands of questions, each of which started a process, and follow any number of things: a viewer could take
// the memory of the machine.
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { client, makePlace, openSocket, paired, start, writeRun } from '../apps/agent/test/helpers/daemon.ts';

/** Processes that this one has started. */
const children = () =>
  readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').split(' ').filter(Boolean).length;

test('a flood of questions starts few processes, and its socket has an answer for each', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const cookie = await paired(daemon);
  const socket = await openSocket(daemon, cookie);
  const codes: (string | undefined)[] = [];
  socket.on('message', (data) => codes.push(JSON.parse(String(data)).error?.data.error.code));
  const questions = Array.from({ length: 400 }, (_, id) => ({ id, method: 'query', params: { path: 'models.list' } }));
  const before = children();
  socket.send(JSON.stringify(questions));
  let most = 0;
  while (codes.length < questions.length) {
    most = Math.max(most, children() - before);
    await wait(200);
  }
  expect(most).toBeLessThanOrEqual(8);
  expect(codes.filter((code) => code === 'too_many_requests')).toHaveLength(400 - 256);
  const usual = ['too_many_requests', 'agent_busy', 'still_working', undefined];
  expect(codes.filter((code) => !usual.includes(code as string))).toEqual([]);
  const { api } = client(daemon, cookie);
  expect(await api.agent.about.query()).toMatchObject({ workspace: place.workspace });
});

test('no more than so many things are followed on one socket; one that ends makes room', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const run = await writeRun(place);
  const socket = await openSocket(daemon, await paired(daemon));
  const refused: number[] = [];
  const started = new Set<number>();
  socket.on('message', (data) => {
    const { id, error, result } = JSON.parse(String(data));
    if (error?.data.error.code === 'too_many_requests') refused.push(id);
    if (result?.type === 'started') started.add(id);
  });
  const follow = (id: number) =>
    socket.send(
      JSON.stringify({
        id,
        method: 'subscription',
        params: { path: 'runs.events', input: { run: `project/runs/${run.id}` } },
      }),
    );
  for (let id = 0; id < 66; id++) follow(id);
  await vi.waitFor(() => expect([started.size, refused]).toEqual([64, [64, 65]]), 20_000);
  socket.send(JSON.stringify({ id: 3, method: 'subscription.stop' }));
  await vi.waitFor(() => {
    follow(100);
    expect(started.has(100)).toBe(true);
  }, 20_000);
});

// The page asks for 51 answers at once, and again before they have come where a run ends or another one is chosen.
test('a page that compares 50 runs is no flood', async () => {
  const place = makePlace();
  const daemon = await start(place);
  const run = await writeRun(place);
  const socket = await openSocket(daemon, await paired(daemon));
  const told: unknown[] = [];
  socket.on('message', (data) => told.push(JSON.parse(String(data)).error?.data.error.code));
  const params = { path: 'runs.series', input: { run: `project/runs/${run.id}`, buckets: 400 } };
  for (let id = 0; id < 2 * 51; id++) socket.send(JSON.stringify({ id, method: 'query', params }));
  await vi.waitFor(() => expect(told).toHaveLength(2 * 51), 60_000);
  expect(new Set(told)).toEqual(new Set([undefined]));
});
