/** A look of the scheduler launched entries as it had read them, after they were assigned or taken out; others could not tell. */
import { mkdirSync } from 'node:fs';
import { join, relative } from 'node:path';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { expect, onTestFinished, test, vi } from 'vitest';
import { openQueue } from '../apps/agent/src/commands/queueHere.ts';
import { AgentState } from '../apps/agent/src/daemon/agentState.ts';
import { type LaunchOrder, Scheduler } from '../apps/agent/src/daemon/queue/scheduler.ts';
import { deviceOfRun } from '../apps/agent/src/service/host/devices.ts';
import { RunQueue } from '../apps/agent/src/service/queue/runQueue.ts';
import { schedulerOf } from '../apps/agent/test/fixtures/scheduler.ts';
import { temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { makePlace, start } from '../apps/agent/test/helpers/daemon.ts';

const device = deviceOfRun('auto');

async function place(names: readonly string[]) {
  const folder = temporaryFolder();
  const state = join(folder, 'state');
  const root = join(folder, 'workspace', 'runs');
  for (const made of [state, root]) mkdirSync(made, { recursive: true });
  const { queue, feeds } = schedulerOf(join(folder, 'workspace'), state, () => {});
  const launched: string[] = [];
  // Has no event, ever.
  const launch = (path: string, { changes }: LaunchOrder) => {
    launched.push([path.slice(root.length - 'runs'.length), ...changes].join(' '));
    return new Promise(() => {});
  };
  const scheduler = new Scheduler({ queue, feeds, launch, log: () => {} });
  onTestFinished(() => scheduler.close());
  const runs: string[] = [];
  for (const name of names) {
    const run = await RunDirectory.create({ root, name, recipeText: name, resolvedText: name });
    await run.close();
    runs.push(`runs/${run.id}`);
    const since = '2026-01-31T14:25:07.123Z';
    await queue.add({ run: `runs/${run.id}`, device, priority: 'normal', changes: [], afterSeq: 1, since, by: null });
  }
  return { queue, feeds, scheduler, launched, runs };
}

test('what is assigned or taken out while the scheduler looks is not begun as it was', async () => {
  const { queue, feeds, scheduler, launched, runs } = await place(['taken', 'moved']);
  const [taken = '', moved = ''] = runs;
  const all = feeds.all.bind(feeds);
  const meanwhile = vi.spyOn(feeds, 'all').mockImplementationOnce(async () => {
    await queue.remove(taken);
    await queue.assign(moved, () => ({ device: 'cuda:77', changes: ['device=cuda:77'] }));
    return all();
  });
  await scheduler.look();
  expect(meanwhile).toHaveBeenCalled();
  expect(launched).toEqual([]);
});

test('a launch without an event occupies the device that it was ordered for, whatever its entry says since', async () => {
  const { queue, scheduler, launched, runs } = await place(['first', 'second']);
  const [first = ''] = runs;
  await scheduler.look();
  expect(launched).toEqual([first]);
  await expect(scheduler.remove(first)).rejects.toMatchObject({ code: 'run_not_queued' });
  await expect(scheduler.assign(first, device)).rejects.toMatchObject({ code: 'run_not_queued' });
  await queue.assign(first, () => ({ device: 'cuda:77', changes: ['device=cuda:77'] }));
  await scheduler.look();
  expect(launched).toEqual([first]);
});

test('the command line leaves a run that a process writes where it is', async () => {
  const at = makePlace();
  await start(at);
  const root = join(at.workspace, 'runs');
  const live = await RunDirectory.create({ root, name: 'live', recipeText: 'live', resolvedText: 'live' });
  const run = relative(at.workspace, live.path);
  const queue = new RunQueue(AgentState.above(at.workspace).folder);
  const since = '2026-01-31T14:25:07.123Z';
  await queue.add({ run, device: 'cuda:77', priority: 'normal', changes: [], afterSeq: 1, since, by: null });
  const here = await openQueue(at.workspace);
  await expect(here.assign(run, device)).rejects.toMatchObject({ code: 'run_not_queued' });
  await expect(here.remove(run)).rejects.toMatchObject({ code: 'run_not_queued' });
  expect(queue.read().waiting).toMatchObject([{ run, device: 'cuda:77', changes: [] }]);
  await live.close();
  await here.remove(run);
  expect(queue.read().waiting).toEqual([]);
});
