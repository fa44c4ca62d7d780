/** Jobs of the agent: they go on without whoever asked, can be cancelled, and end with the agent. */
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import type { ExportedForm, ExportProgress } from '@anneal/core/protocol/exports';
import { expect, test, vi } from 'vitest';
import { Jobs } from '../src/daemon/jobs/jobs.ts';

type Work = (signal: AbortSignal) => AsyncGenerator<ExportProgress, ExportedForm[]>;

const order = { kind: 'export', subject: 'runs/a', target: '/a' } as const;
const at = (done: number) => ({ form: 'gguf', done, total: 9 });

/** Goes on until it is cancelled, and takes its time to clear up. */
function endless(cleared: string[] = []): Work {
  return async function* (signal) {
    for (let done = 0; ; done++) {
      yield at(done);
      await wait(1);
      if (!signal.aborted) continue;
      await wait(20);
      cleared.push('cleared');
      signal.throwIfAborted();
    }
  };
}

const finished: Work = async function* () {
  yield at(1);
  return [];
};

const failing = (error: Error): Work =>
  async function* () {
    yield at(1);
    throw error;
  };

const only = (jobs: Jobs) => jobs.all()[0]?.job;

test('a job tells its progress and its result, and is there until it is forgotten', async () => {
  const jobs = new Jobs(() => undefined);
  const versions: number[] = [];
  jobs.onChange(() => versions.push(jobs.all()[0]?.version ?? 0));
  const { id } = jobs.start(order, finished);
  expect(only(jobs)).toMatchObject({ id, state: 'running', ended: null });
  await vi.waitFor(() => expect(only(jobs)?.state).toBe('finished'));
  expect(only(jobs)).toMatchObject({ progress: at(1), result: [], error: null, ended: expect.any(String) });
  expect(versions).toEqual(versions.toSorted((a, b) => a - b));
  jobs.forget(id);
  expect(jobs.all()).toEqual([]);
});

test('a cancelled job is cancelling until it has cleared up', async () => {
  const jobs = new Jobs(() => undefined);
  const cleared: string[] = [];
  const { id } = jobs.start(order, endless(cleared));
  expect(() => jobs.forget(id)).toThrow(/has not ended/);
  jobs.cancel(id);
  expect(only(jobs)?.state).toBe('cancelling');
  await vi.waitFor(() => expect(only(jobs)?.state).toBe('cancelled'));
  expect(cleared).toEqual(['cleared']);
  jobs.cancel(id); // changes nothing
  expect(only(jobs)).toMatchObject({ state: 'cancelled', result: null, error: null });
});

test('an error is told, and a defect stands in the output of the agent', async () => {
  const said: string[] = [];
  const jobs = new Jobs((text) => said.push(text));
  jobs.start(order, failing(new UserError({ what: 'full', where: '/a', next: 'free some', code: 'disk_full' })));
  await vi.waitFor(() => expect(only(jobs)?.state).toBe('failed'));
  expect(only(jobs)?.error).toMatchObject({ code: 'disk_full', next: 'free some' });
  expect(said).toEqual([]);
  jobs.start(order, failing(new Error('secret')));
  await vi.waitFor(() => expect(jobs.all()[1]?.job.state).toBe('failed'));
  expect(JSON.stringify(jobs.all()[1]?.job.error)).not.toContain('secret');
  expect(said).toEqual([expect.stringContaining('secret')]);
});

test('the same is not done twice at a time, and only so much at once', async () => {
  const jobs = new Jobs(() => undefined);
  jobs.start(order, endless());
  expect(() => jobs.start(order, endless())).toThrow(/being done already/);
  for (let number = 1; number < 8; number++) jobs.start({ ...order, target: `/${number}` }, endless());
  expect(() => jobs.start({ ...order, target: '/9' }, endless())).toThrow(/8 jobs are running/);
  await jobs.close();
  expect(jobs.all().every(({ job }) => job.state === 'cancelled')).toBe(true);
  expect(() => jobs.start({ ...order, target: '/x' }, endless())).toThrow(/the agent ends/);
});

test('of those that have ended the newest are kept', async () => {
  const jobs = new Jobs(() => undefined);
  for (let number = 0; number < 40; number++) {
    const { id } = jobs.start({ ...order, subject: `run ${number}` }, finished);
    await vi.waitFor(() => expect(jobs.all().find(({ job }) => job.id === id)?.job.ended).not.toBeNull());
  }
  expect(jobs.all()).toHaveLength(30);
  expect(jobs.all().at(-1)?.job.subject).toBe('run 39');
});
