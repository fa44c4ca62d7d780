// A query that took longer than ten seconds was told so, and begun anew by each of the client's twelve questions: up to eight processes
// did the same beside each other, and none of what they found was ever told.
import { expect, onTestFinished, test, vi } from 'vitest';
import { tokenHolder } from '../apps/agent/src/daemon/auth/access.ts';
import { appRouter } from '../apps/agent/src/daemon/router/index.ts';

/** A client of an agent whose runs are found once `found` says so. */
function asking() {
  const looks: PromiseWithResolvers<never>[] = [];
  const get = () => {
    const look = Promise.withResolvers<never>();
    looks.push(look);
    return look.promise;
  };
  const found = (at: number) => looks[at]?.resolve({ summary: `found at look ${at + 1}` } as never);
  const agent = { feeds: { get }, audit: { record: () => undefined } };
  const asked = { unanswered: { count: 0 }, subscriptions: { count: 0 }, late: new Map() };
  const caller = { session: undefined, person: () => tokenHolder, ...asked };
  const client = appRouter.createCaller({ agent, pace: {}, caller } as never);
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const late = async (run: string) => {
    const end = expect(client.runs.get({ run })).rejects.toMatchObject({ cause: { code: 'still_working' } });
    await vi.waitFor(() => expect(asked.unanswered.count).toBe(1));
    vi.advanceTimersByTime(10_000);
    await end;
  };
  return { client, late, looks, found };
}

test('what takes longer is asked again, not begun again', async () => {
  const { client, late, looks, found } = asking();
  await late('a');
  await late('a');
  expect(looks).toHaveLength(1);
  found(0);
  expect(await client.runs.get({ run: 'a' })).toBe('found at look 1');
  // What was told is told once.
  const next = client.runs.get({ run: 'a' });
  await vi.waitFor(() => expect(looks).toHaveLength(2));
  found(1);
  expect(await next).toBe('found at look 2');
});

test('it answers no other question, and none of after a change', async () => {
  const { client, late, looks, found } = asking();
  await late('a');
  await late('b');
  expect(looks).toHaveLength(2);
  const change = expect(client.runs.note({ run: 'a', text: 'b' })).rejects.toThrow();
  await vi.waitFor(() => expect(looks).toHaveLength(3));
  looks[2]?.reject(new Error('of this test'));
  await change;
  await late('a');
  expect(looks).toHaveLength(4);
  found(3);
});
