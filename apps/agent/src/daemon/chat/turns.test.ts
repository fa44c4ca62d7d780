import { expect, test } from 'vitest';
import { Turns } from './turns.ts';

const never = new AbortController().signal;

/** Takes a turn, and tells its name in `order` when it has it. */
async function take(turns: Turns, client: string, name: string, order: string[]): Promise<() => void> {
  const end = await turns.take(client, never);
  order.push(name);
  return end;
}

test('one at a time, and many requests of one client do not hold up another', async () => {
  const turns = new Turns(10);
  const order: string[] = [];
  const first = await take(turns, 'a', 'a1', order);
  const waiting = [take(turns, 'a', 'a2', order), take(turns, 'a', 'a3', order), take(turns, 'b', 'b1', order)];
  expect([turns.busy, turns.waiting]).toEqual([true, 3]);
  first();
  first(); // a second time does nothing
  (await (waiting[2] as Promise<() => void>))();
  (await (waiting[0] as Promise<() => void>))();
  (await (waiting[1] as Promise<() => void>))();
  expect(order).toEqual(['a1', 'b1', 'a2', 'a3']);
  expect([turns.busy, turns.waiting]).toEqual([false, 0]);
});

test('so many wait and no more, and whoever leaves gives the place free', async () => {
  const turns = new Turns(1);
  const end = await turns.take('a', never);
  const given = new AbortController();
  const waiting = turns.take('b', given.signal);
  await expect(turns.take('c', never)).rejects.toMatchObject({ code: 'model_busy' });
  given.abort();
  await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
  const next = turns.take('c', never);
  end();
  (await next)();
  expect(turns.busy).toBe(false);
});
