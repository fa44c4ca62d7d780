import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { runDetailsSchema, runListSchema } from '@anneal/core/protocol/runs';
import { followEvents } from '@anneal/core/trainer/followEvents';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { beforeEach, expect, test } from 'vitest';
import { startDetached } from '../../src/runner/startWorker.ts';
import type { Context } from '../../src/service/context.ts';
import { followRun } from '../../src/service/runs/follow.ts';
import { listRuns } from '../../src/service/runs/list.ts';
import { showRun } from '../../src/service/runs/show.ts';
import { saveRunNow, stopRun } from '../../src/service/runs/stop.ts';
import { temporaryFolder } from '../helpers/anneal.ts';

const worker = join(import.meta.dirname, '..', 'fixtures', 'worker.ts');
let context: Context & { runsFolder: string };

beforeEach(() => {
  context = { runsFolder: temporaryFolder() };
});

/** A run that the worker which trains nothing goes on with until it is told to stop. */
async function runningRun(): Promise<string> {
  const run = await RunDirectory.create({
    root: context.runsFolder,
    name: 'forever',
    recipeText: 'forever',
    resolvedText: 'forever',
  });
  await run.close();
  startDetached(run.path, { worker });
  for await (const event of followEvents(run.path, { isLive: () => true })) if (event.type === 'step') break;
  return run.path;
}

test('a run is saved, followed from a number on, and stopped, without a word on the terminal', async () => {
  const path = await runningRun();
  const { pid } = await saveRunNow(context, {});
  expect(pid).toBeGreaterThan(1);
  for await (const event of followRun(context, { run: path })) if (event.type === 'checkpoint') break;

  const asked: object[] = [];
  const stopping = stopRun(context, { run: 'latest' });
  let next = await stopping.next();
  for (; !next.done; next = await stopping.next()) asked.push(next.value);
  expect(asked).toEqual([{ asked: expect.objectContaining({ pid }) }]);
  expect(next.value).toMatchObject({ state: 'stopped', pid: null });

  const seqs: number[] = [];
  for await (const event of followRun(context, { afterSeq: 3 })) seqs.push(event.seq);
  expect(seqs).toEqual(Array.from({ length: next.value.seq - 3 }, (_, index) => index + 4));

  const [run] = runListSchema.parse(await listRuns(context));
  expect(run).toMatchObject({ state: 'stopped', path });
  const { checkpoints } = runDetailsSchema.parse(await showRun(context, {}));
  expect(checkpoints).toHaveLength(2);
  await expect(stopRun(context, {}).next()).rejects.toMatchObject({ code: 'run_not_running' });
});

test('whoever stops listening once a run is asked has asked all the same', async () => {
  await runningRun();
  const stopping = stopRun(context, {});
  await stopping.next();
  await stopping.return(undefined as never);
  while ((await listRuns(context))[0]?.state !== 'stopped') await wait(20);
});
