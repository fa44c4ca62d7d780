import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import type { RunEvent } from '@anneal/core/protocol/events';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { followEvents } from '@anneal/core/trainer/followEvents';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { readRun } from '@anneal/core/trainer/runReader';
import { beforeEach, describe, expect, test } from 'vitest';
import { exitCodes } from '../src/exitCodes.ts';
import { startAttached, startDetached } from '../src/runner/startWorker.ts';
import { startNode, temporaryFolder } from './helpers/anneal.ts';

const worker = join(import.meta.dirname, 'fixtures', 'worker.ts');
let root: string;

beforeEach(() => {
  root = temporaryFolder();
});

async function createRun(behavior: string): Promise<string> {
  const run = await RunDirectory.create({ root, name: behavior, recipeText: behavior, resolvedText: behavior });
  await run.close();
  return run.path;
}

function start(path: string) {
  const events: RunEvent[] = [];
  return { events, ...startAttached(path, { worker, onEvent: (event) => events.push(event) }) };
}

async function waitForStep(path: string, step: number): Promise<void> {
  for await (const event of followEvents(path, { isLive: () => true })) {
    if (event.type === 'step' && event.step >= step) return;
  }
}

const lastEvent = (path: string) => [...readEvents(join(path, 'events.jsonl'))].at(-1);

/** Runs it as `anneal train` would. */
async function foreground(behavior: string, ...args: string[]) {
  const path = await createRun(behavior);
  return { path, ...startNode([join(import.meta.dirname, 'fixtures', 'foreground.ts'), path, ...args], root) };
}

describe('an attached worker', () => {
  test('passes every event on, in order, and ends finished', async () => {
    const path = await createRun('normal');
    const run = start(path);
    expect(await run.ended).toMatchObject({ state: 'finished', step: 6, checkpoint: 'checkpoints/checkpoint-6' });
    expect(run.events.map((event) => event.seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(readFileSync(join(path, 'run.log'), 'utf8')).toBe('behavior: normal\n');
  });

  test.each([
    ['killed', { code: 'worker_crashed', what: expect.stringContaining('SIGKILL') }],
    ['exit', { code: 'worker_crashed', what: expect.stringContaining('exit code 7') }],
    ['refused', { code: 'no_memory', what: 'too little memory', where: 'the plan', next: 'shorten sequence_len' }],
    ['defect', { code: 'internal_error', what: 'unexpected error: x is not a function' }],
  ])('that ends with %s is recorded as failed, and can be continued', async (behavior, error) => {
    const path = await createRun(behavior);
    const run = start(path);
    expect(await run.ended).toMatchObject({ state: 'failed', step: 3, error });
    expect(run.events.at(-1)).toMatchObject({ type: 'failed', error });
    expect(readRun(path)).toMatchObject({ state: 'failed', owner: undefined });
    if (behavior === 'defect') expect(readFileSync(join(path, 'run.log'), 'utf8')).toContain('TypeError: x is not');

    const again = start(path);
    await again.ended;
    expect(again.events[0]).toMatchObject({ type: 'resumed', fromStep: 0 });
    expect(readRun(path).status.seq).toBe(again.events.at(-1)?.seq);
  });

  test('asked to stop saves a checkpoint, and continues after it', async () => {
    const path = await createRun('forever');
    const run = start(path);
    await waitForStep(path, 2);
    run.stop();
    const status = await run.ended;
    expect(status).toMatchObject({ state: 'stopped', checkpoint: `checkpoints/checkpoint-${status.step}` });

    const again = start(path);
    await waitForStep(path, status.step + 1);
    again.stop();
    await again.ended;
    expect(again.events[0]).toMatchObject({ type: 'resumed', fromStep: status.step });
    expect(again.events[2]).toMatchObject({ type: 'step', step: status.step + 1 });
  });

  test('asked twice ends at once, without a checkpoint', async () => {
    const path = await createRun('stubborn');
    const run = start(path);
    await waitForStep(path, 2);
    run.stop();
    await wait(50);
    run.stop();
    expect(await run.ended).toMatchObject({ state: 'stopped', step: 0, checkpoint: null });
  });

  test('SIGUSR2 saves a checkpoint and goes on', async () => {
    const path = await createRun('forever');
    const run = start(path);
    await waitForStep(path, 1);
    process.kill(readRun(path).owner?.pid ?? 0, 'SIGUSR2');
    for await (const event of followEvents(path)) if (event.type === 'checkpoint') break;
    await waitForStep(path, readRun(path).status.step + 2);
    run.stop();
    expect((await run.ended).state).toBe('stopped');
    expect(run.events.filter((event) => event.type === 'checkpoint')).toHaveLength(2);
  });

  test('detached goes on by itself', async () => {
    const path = await createRun('normal');
    const pid = startDetached(path, { worker });
    await waitForStep(path, 1);
    expect(readRun(path)).toMatchObject({ state: 'running', owner: { pid } });
    for await (const event of followEvents(path)) if (event.type === 'finished') break;
    while (readRun(path).owner) await wait(20);
    expect(readRun(path).state).toBe('finished');
  });
});

describe('in the foreground', () => {
  test('a pipe gets a plain line an event', async () => {
    const { ended } = await foreground('normal');
    const { code, stdout } = await ended;
    expect(code).toBe(exitCodes.done);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^run \d{8}-\d{6}-normal$/);
    expect(lines[1]).toBe('training for 6 steps');
    expect(lines[2]).toBe('step 1  epoch 0.17  loss 3  grad norm 1  lr 1.0e-4  1,000 tok/s');
    expect(lines.at(-1)).toBe('finished after step 6  loss 0.5  0.1 s in steps');
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toContain('\r');
  });

  test('--json gives the events as JSON lines, and nothing else', async () => {
    const { ended } = await foreground('killed', '--json');
    const { code, stdout } = await ended;
    expect(code).toBe(exitCodes.failed);
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as RunEvent);
    expect(events.map((event) => event.type)).toEqual(['run_created', 'started', 'step', 'step', 'step', 'failed']);
  });

  test('Ctrl-C, even when it comes twice at once, stops with a checkpoint', async () => {
    const { path, child, ended } = await foreground('forever');
    await waitForStep(path, 2);
    child.kill('SIGINT');
    child.kill('SIGTERM');
    const { code, stderr } = await ended;
    expect(code).toBe(exitCodes.stopped);
    expect(stderr).toContain('stopping after this step');
    expect(stderr).toContain('anneal runs resume');
    expect(readRun(path).status.checkpoint).not.toBeNull();
  });

  test('SIGTERM to what was called stops with a checkpoint, and the run says that it was that', async () => {
    const { path, child, ended } = await foreground('forever');
    await waitForStep(path, 2);
    child.kill('SIGTERM');
    expect((await ended).code).toBe(exitCodes.stopped);
    expect(lastEvent(path)).toMatchObject({ type: 'stopped', why: 'terminated' });
  });

  test('a terminal that closes and a pipe that nobody reads stop with a checkpoint', async () => {
    const hungUp = await foreground('forever');
    await waitForStep(hungUp.path, 2);
    hungUp.child.kill('SIGHUP');
    expect((await hungUp.ended).code).toBe(exitCodes.stopped);
    expect(lastEvent(hungUp.path)).toMatchObject({ type: 'stopped', why: 'terminal_closed' });

    const piped = await foreground('forever');
    await waitForStep(piped.path, 2);
    piped.child.stdout?.destroy();
    const { code, stderr } = await piped.ended;
    expect({ code, stderr }).toMatchObject({
      code: exitCodes.stopped,
      stderr: expect.stringContaining('nobody reads'),
    });
    expect(readRun(piped.path).status.checkpoint).not.toBeNull();
  });

  test('a run that is sent SIGTERM by somebody else stops with a checkpoint, and does not say that it was asked', async () => {
    const path = await createRun('forever');
    const run = start(path);
    await waitForStep(path, 2);
    process.kill(readRun(path).owner?.pid as number, 'SIGTERM');
    await run.ended;
    expect(run.events.at(-1)).toMatchObject({ type: 'stopped', why: 'terminated' });
    const asked = start(path);
    await waitForStep(path, readRun(path).status.step + 2);
    asked.stop();
    await asked.ended;
    expect(asked.events.at(-1)).toMatchObject({ type: 'stopped', why: 'asked' });
  });

  test('SIGHUP to the training process saves a checkpoint', async () => {
    const path = await createRun('forever');
    const pid = startDetached(path, { worker });
    await waitForStep(path, 2);
    process.kill(pid, 'SIGHUP');
    while (readRun(path).owner) await wait(20);
    expect(readRun(path)).toMatchObject({ state: 'stopped' });
    expect(readRun(path).status.checkpoint).not.toBeNull();
  });

  test('a second Ctrl-C ends at once', async () => {
    const { path, child, ended } = await foreground('stubborn');
    await waitForStep(path, 2);
    child.kill('SIGINT');
    await wait(400);
    child.kill('SIGINT');
    expect((await ended).code).toBe(exitCodes.interrupted);
    expect(readRun(path)).toMatchObject({ state: 'stopped', status: { step: 0 } });
  });

  test('when the parent is killed, the worker saves a checkpoint and ends', async () => {
    const { path, child, ended } = await foreground('forever');
    await waitForStep(path, 2);
    child.kill('SIGKILL');
    expect((await ended).code).toBe('SIGKILL');
    while (readRun(path).owner) await wait(20);
    const { state, status } = readRun(path);
    expect({ state, checkpoint: status.checkpoint }).toEqual({
      state: 'stopped',
      checkpoint: `checkpoints/checkpoint-${status.step}`,
    });
  });
});
