import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeEach, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { type RunEvent, withoutSuperseded } from '../protocol/events.ts';
import { statusSchema } from '../protocol/status.ts';
import { followEvents } from './followEvents.ts';
import { RunDirectory } from './runDirectory.ts';
import { readRun } from './runReader.ts';

const steps = 60;
const kills = 25;
const writer = join(import.meta.dirname, 'testing', 'writeRun.ts');
let root: string;

beforeEach(() => {
  root = temporaryFolder('crash');
});

test('SIGKILL at any moment leaves a gapless log, whole checkpoints and a run that goes on', async () => {
  const created = await RunDirectory.create({ root, name: 'crash', recipeText: 'a: 1\n', resolvedText: 'a: 1\n' });
  const { path } = created;
  await created.close();

  let killed = 0;
  for (let round = 0; killed < kills && round < kills * 4; round++) {
    const child = spawn(process.execPath, [writer, path, String(steps)], { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = endOf(child);
    // From before the lock is taken to well into writing: the moments are spread, not all alike.
    await Promise.race([firstNewEvent(path, ended), ended]);
    await Promise.race([wait(((round * 37) % 100) * 0.4), ended]);
    child.kill('SIGKILL');
    if ((await ended) === 'SIGKILL') killed++;

    expect(statusSchema.safeParse(JSON.parse(readFileSync(join(path, 'status.json'), 'utf8'))).success).toBe(true);
    const run = await RunDirectory.open(path);
    run.events.forEach((event, index) => expect(event.seq).toBe(index + 1));
    await expectWholeCheckpoints(run);
    const state = run.status.state;
    await run.close();
    if (state === 'finished') break;
  }
  expect(killed).toBeGreaterThan(5);

  const child = spawn(process.execPath, [writer, path, String(steps)], { stdio: ['ignore', 'ignore', 'inherit'] });
  expect(await endOf(child)).toBe(0);
  const run = await RunDirectory.open(path);
  const counted = withoutSuperseded(run.events).filter((event) => event.type === 'step');
  expect(counted.map((event) => event.step)).toEqual(Array.from({ length: steps }, (_, index) => index + 1));
  // A kill between the last rename and the removal of older ones may leave more than the limit, never less.
  const left = (await run.checkpoints()).map((checkpoint) => checkpoint.step);
  expect(left).toEqual(expect.arrayContaining([20, steps]));
  await run.close();
  expect(readRun(path).state).toBe('finished');
});

async function expectWholeCheckpoints(run: RunDirectory): Promise<void> {
  const found = await run.checkpoints();
  expect(readdirSync(join(run.path, 'checkpoints')).length).toBe(found.length);
  const recorded = run.events.findLast((event) => event.type === 'checkpoint');
  if (recorded) expect(found.at(-1)?.step).toBeGreaterThanOrEqual(recorded.step);
  for (const checkpoint of found) {
    const weights = readFileSync(join(checkpoint.path, 'weights'));
    expect(readFileSync(join(checkpoint.path, 'state', 'step'), 'utf8')).toBe(String(checkpoint.step));
    expect(readFileSync(join(checkpoint.path, 'state', 'sha256'), 'utf8')).toBe(
      createHash('sha256').update(weights).digest('hex'),
    );
  }
}

async function firstNewEvent(path: string, ended: Promise<unknown>): Promise<RunEvent | undefined> {
  let over = false;
  void ended.then(() => {
    over = true;
  });
  const afterSeq = readRun(path).status.seq;
  for await (const event of followEvents(path, { afterSeq, isLive: () => !over })) return event;
  return undefined;
}

function endOf(child: ChildProcess): Promise<number | NodeJS.Signals | null> {
  return new Promise((resolve) => child.once('exit', (code, signal) => resolve(signal ?? code)));
}
