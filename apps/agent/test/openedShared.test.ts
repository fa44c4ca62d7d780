import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import type { DataState } from '@anneal/core/protocol/dataView';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { writeCapitalsTask, writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { OpenedShared } from '../src/daemon/openedShared.ts';
import { type Apart, openApart } from '../src/runner/openApart.ts';
import type { BrowsedData } from '../src/service/data/browse.ts';
import { finish } from '../src/service/finish.ts';
import { temporaryFolder } from './helpers/anneal.ts';

let folder: string;
let request: { source: string; model: string };

beforeEach(() => {
  folder = temporaryFolder();
  vi.stubEnv('ANNEAL_CACHE', join(folder, 'cache'));
  onTestFinished(() => void vi.unstubAllEnvs());
  request = { source: writeCapitalsTask(folder, 400), model: writeTinyModel(folder) };
});

async function open(): Promise<Apart<BrowsedData>> {
  const opened = await finish(openApart('data', {}, request));
  onTestFinished(() => opened.close());
  return opened;
}

/** The first state that the watcher is shown and that this is true of. */
async function until(opened: Apart<BrowsedData>, holds: (state: DataState) => boolean): Promise<DataState> {
  const given = new AbortController();
  for await (const state of opened.call('watch', undefined, given.signal)) {
    if (!holds(state)) continue;
    given.abort();
    return state;
  }
  throw new Error('it was watched to its end');
}

test('what is open answers many calls at a time, each with its own result or error', async () => {
  const opened = await open();
  const [first, second, wrong, done] = await Promise.all([
    finish(opened.call('rows', { offset: 0, limit: 2 })),
    finish(opened.call('row', { row: 2 })),
    finish(opened.call('row', { row: 401 })).catch((error: unknown) => error),
    until(opened, (state) => state.phase === 'open' && state.judging.state === 'done'),
  ]);
  expect(first).toMatchObject({ total: 400, rows: [{ number: 1 }, { number: 2 }] });
  expect(second).toMatchObject({ number: 2, tokenCount: first.rows[1]?.tokens });
  expect(wrong).toMatchObject({ name: 'UserError', code: 'row_not_found' });
  expect(done).toMatchObject({ judging: { judged: 400, counts: { kept: 400 } } });
});

test('an opening that fails says why', async () => {
  const opening = finish(openApart('data', {}, { ...request, source: join(folder, 'nothing.jsonl') }));
  await expect(opening).rejects.toBeInstanceOf(UserError);
});

test('data that change under the eyes of who looks at them are an error, not other rows', async () => {
  const opened = await open();
  await finish(opened.call('rows', { offset: 0, limit: 1 }));
  appendFileSync(request.source, '{"messages": []}\n');
  await expect(finish(opened.call('rows', { offset: 0, limit: 1 }))).rejects.toMatchObject({ code: 'data_changed' });
});

test('one process for all who look at the same, and room is made by what nobody looks at', async () => {
  const pool = new OpenedShared('data', { most: 1 });
  onTestFinished(() => pool.close());
  const [one, same] = await Promise.all([pool.take('a', request), pool.take('a', request)]);
  expect(same.opened).toBe(one.opened);
  await expect(pool.take('b', request)).rejects.toMatchObject({ code: 'too_many_open' });
  one[Symbol.dispose]();
  same[Symbol.dispose]();
  const other = await pool.take('b', request);
  await one.opened.ended;
  other[Symbol.dispose]();
});

test('what nobody looks at any more is ended, and opened again when somebody does', async () => {
  const pool = new OpenedShared('data', { idleMilliseconds: 20 });
  onTestFinished(() => pool.close());
  const lease = await pool.take('a', request);
  await wait(60);
  expect(await finish(lease.opened.call('find', { row: 0 }))).toBe(1);
  lease[Symbol.dispose]();
  await lease.opened.ended;
  const again = await pool.take('a', request);
  expect(again.opened).not.toBe(lease.opened);
  again[Symbol.dispose]();
});
