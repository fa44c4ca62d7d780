/** The queue of an agent: its order, who occupies a device, and what kills of the agent do to it: nothing. */
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { UserError } from '@anneal/core/errors';
import { hostSampleSchema } from '@anneal/core/protocol/host';
import type { Priority } from '@anneal/core/protocol/priorities';
import type { QueuedRun } from '@anneal/core/protocol/queue';
import type { HostNow } from '@anneal/core/protocol/studio';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { stretchesOf } from '@anneal/core/trainer/repetition';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { readRun } from '@anneal/core/trainer/runReader';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AgentState } from '../src/daemon/agentState.ts';
import { startDetached } from '../src/runner/startWorker.ts';
import { deviceOfRun } from '../src/service/host/devices.ts';
import { placeOf, withRun, withRunAt, withRunOn } from '../src/service/queue/order.ts';
import { onDevice } from '../src/service/queue/queuedRun.ts';
import { RunQueue } from '../src/service/queue/runQueue.ts';
import { openRecipe } from '../src/service/recipes/open.ts';
import { schedulerOf } from './fixtures/scheduler.ts';
import { annealIn, startNode, temporaryFolder } from './helpers/anneal.ts';
import { client, makePlace, paired, start } from './helpers/daemon.ts';

const worker = join(import.meta.dirname, 'fixtures', 'worker.ts');
const since = '2026-01-31T14:25:07.123Z';

function entry(run: string, priority: Priority = 'normal', device = 'cpu', afterSeq = 1): QueuedRun {
  return { run, device, priority, changes: [], afterSeq, since, by: null };
}

const order = (waiting: readonly QueuedRun[]) => waiting.map(({ run }) => run).join('');

describe('the order', () => {
  test('is by priority, then by when a run was queued; a run is in it once', () => {
    let waiting: QueuedRun[] = [];
    for (const [run, priority] of [
      ['a', 'normal'],
      ['b', 'low'],
      ['c', 'normal'],
      ['d', 'high'],
      ['a', 'high'],
      ['e', 'high'],
    ] as const)
      waiting = withRun(waiting, entry(run, priority));
    expect(order(waiting)).toBe('deacb');
  });

  test('can be changed by hand: a run that moves past others takes the priority that its place needs', () => {
    const waiting = [entry('a', 'high'), entry('b'), entry('c', 'low'), entry('d', 'low')];
    const first = withRunAt(waiting, 'd', 1);
    expect([order(first), first[0]?.priority]).toEqual(['dabc', 'high']);
    const last = withRunAt(waiting, 'a', 9);
    expect([order(last), last[3]?.priority]).toEqual(['bcda', 'low']);
    expect(withRunAt(waiting, 'c', 3)).toEqual(waiting);
    expect(order(withRunAt(waiting, 'x', 1))).toBe('abcd');
  });

  test('counts no run that has begun, and is in the file still', () => {
    const waiting = [entry('a'), entry('b'), entry('c'), entry('d')];
    expect(order(withRunAt(waiting, 'd', 2, new Set(['a'])))).toBe('abdc');
    expect(order(withRunAt(waiting, 'd', 2))).toBe('adbc');
  });

  test('counts places by device', () => {
    const waiting = [entry('a'), entry('b', 'normal', 'cuda:0'), entry('c'), entry('d', 'normal', 'cuda:0')];
    expect(placeOf(waiting, 'c')).toEqual({ device: 'cpu', priority: 'normal', place: 2, of: 2 });
    expect(order(withRunAt(waiting, 'd', 1))).toBe('adbc');
    expect(order(withRunAt(waiting, 'a', 2))).toBe('bcda');
    expect(placeOf(withRunAt(waiting, 'a', 2), 'a')).toMatchObject({ place: 2 });
  });
});

test('a run that waits for another device stands there behind those of its priority', () => {
  const waiting = [entry('a', 'high', 'cuda:0'), entry('b'), entry('c', 'normal', 'cuda:0'), entry('d', 'low')];
  const moved = withRunOn(waiting, 'b', { device: 'cuda:0', changes: ['device=cuda:0'] });
  expect(order(moved)).toBe('acbd');
  expect(moved[2]).toEqual({ ...entry('b', 'normal', 'cuda:0'), changes: ['device=cuda:0'] });
  expect(placeOf(moved, 'b')).toEqual({ device: 'cuda:0', priority: 'normal', place: 3, of: 3 });
  expect(withRunOn(waiting, 'b', { device: 'cpu', changes: [] })).toEqual(waiting);
});

describe('the file', () => {
  test('is changed by several at once, and says what is wrong with it', async () => {
    const folder = temporaryFolder();
    const [one, other] = [new RunQueue(folder), new RunQueue(folder)];
    await Promise.all(
      Array.from({ length: 10 }, (_, index) => (index % 2 ? one : other).add(entry(`run-${String(index)}`))),
    );
    expect(
      one
        .read()
        .waiting.map(({ run }) => run)
        .sort(),
    ).toEqual(Array.from({ length: 10 }, (_, index) => `run-${index}`));
    await expect(one.move('none', 1)).rejects.toMatchObject({ code: 'run_not_queued' });
    await expect(other.remove('none')).rejects.toMatchObject({ code: 'run_not_queued' });
    for (const text of ['{', '{"version":2}']) {
      writeFileSync(join(folder, 'queue.json'), text);
      expect(() => one.read()).toThrow(/damaged, or of a newer version/);
    }
    expect(() => one.read()).toThrow(folder);
  });
});

/** A folder that is served, and runs in it. */
function place() {
  const folder = temporaryFolder();
  const [workspace, state] = [join(folder, 'workspace'), join(folder, 'state')];
  const runs = join(workspace, 'runs');
  mkdirSync(runs, { recursive: true });
  mkdirSync(state);
  return {
    workspace,
    state,
    runs,
    /** What its text says is how the worker of the tests behaves. */
    async create(behavior: string, name = behavior): Promise<string> {
      const run = await RunDirectory.create({ root: runs, name, recipeText: behavior, resolvedText: behavior });
      await run.close();
      return `runs/${run.id}`;
    },
    path: (run: string) => join(workspace, run),
    types: (run: string) => [...readEvents(join(workspace, run, 'events.jsonl'))].map(({ type }) => type),
    state$: (run: string) => readRun(join(workspace, run)).state,
  };
}

function scheduling(at: ReturnType<typeof place>) {
  const said: string[] = [];
  const made = schedulerOf(at.workspace, at.state, (text) => said.push(text));
  onTestFinished(() => made.scheduler.close());
  const ended = (run: string, state: string) =>
    vi.waitFor(() => expect(at.state$(run)).toBe(state), { timeout: 60_000, interval: 50 });
  return { ...made, said, ended };
}

/** From the first event of its launch to the last, of each run. */
function spans(at: ReturnType<typeof place>, runs: readonly string[]): [number, number][] {
  return runs.map((run) => {
    const events = [...readEvents(join(at.path(run), 'events.jsonl'))];
    const started = events.find(({ type }) => type === 'started');
    return [Date.parse(started?.time ?? ''), Date.parse(events.at(-1)?.time ?? '')];
  });
}

describe('the scheduler', () => {
  test('trains one run after the other, and a run that fails stops nobody', async () => {
    const at = place();
    const { scheduler, feeds, ended, queue } = scheduling(at);
    const runs = [await at.create('finish', 'a'), await at.create('refused', 'b'), await at.create('finish', 'c')];
    for (const run of runs) await scheduler.add(run, { priority: 'normal', by: null });
    await ended(runs[2] as string, 'finished');
    expect(runs.map((run) => at.state$(run))).toEqual(['finished', 'failed', 'finished']);
    const [[, a], [b, bEnd], [c]] = spans(at, runs) as [[number, number], [number, number], [number, number]];
    expect(b).toBeGreaterThanOrEqual(a);
    expect(c).toBeGreaterThanOrEqual(bEnd);
    await scheduler.look();
    expect(queue.read().waiting).toEqual([]);
    expect((await feeds.get(runs[0] as string)).summary).toMatchObject({ queued: null, state: 'finished' });
  });

  test('counts a run of the command line, shows the place, and begins when that has ended', async () => {
    const at = place();
    const { scheduler, feeds, ended, queue } = scheduling(at);
    const other = await at.create('forever');
    const pid = startDetached(at.path(other), { worker });
    onTestFinished(() => void process.kill(pid, 'SIGKILL'));
    await ended(other, 'running');
    const [first, second] = [await at.create('finish', 'first'), await at.create('finish', 'second')];
    await scheduler.add(first, { priority: 'normal', by: null });
    await scheduler.add(second, { priority: 'high', by: null });
    const device = deviceOfRun('auto');
    expect((await feeds.get(first)).summary).toMatchObject({ state: 'queued', queued: { device, place: 2, of: 2 } });
    await queue.move(first, 1);
    expect((await feeds.get(first)).summary).toMatchObject({ queued: { place: 1, priority: 'high' } });
    await scheduler.remove(second);
    expect((await feeds.get(second)).summary).toMatchObject({ state: 'created', queued: null });
    await expect(scheduler.remove(second)).rejects.toMatchObject({ code: 'run_not_queued' });
    await queue.setConcurrency(device, 2);
    await ended(first, 'finished');
    expect(at.state$(other)).toBe('running');
    expect(at.types(second)).toEqual(['run_created']);
  });

  test('a device that is set to none begins none, and others do not wait for it', async () => {
    const at = place();
    const { scheduler, queue, ended } = scheduling(at);
    const [kept, begun] = [await at.create('finish', 'kept'), await at.create('finish', 'begun')];
    const device = deviceOfRun('auto');
    await queue.setConcurrency('cuda:7', 0);
    await queue.add(entry(kept, 'high', 'cuda:7'));
    await queue.add(entry(begun, 'low', device));
    await scheduler.look();
    await ended(begun, 'finished');
    expect(at.types(kept)).toEqual(['run_created']);
  });

  test('a run that goes on and is refused says so until it is started again', async () => {
    const at = place();
    const { scheduler, feeds, ended, queue } = scheduling(at);
    const run = await at.create('finish');
    await scheduler.add(run, { priority: 'normal', by: null });
    await ended(run, 'finished');
    writeFileSync(join(at.path(run), 'recipe.resolved.yaml'), 'another');
    await scheduler.add(run, { priority: 'normal', by: null });
    await vi.waitFor(async () => expect((await feeds.get(run)).summary.refusal).not.toBeNull(), 20_000);
    expect((await feeds.get(run)).summary).toMatchObject({
      state: 'finished',
      queued: null,
      refusal: { code: 'run_recipe_changed' },
    });
    expect(queue.read().waiting).toEqual([]);
    writeFileSync(join(at.path(run), 'recipe.resolved.yaml'), 'finish');
    await scheduler.add(run, { priority: 'normal', by: null });
    expect((await feeds.get(run)).summary.refusal).toBeNull();
    await vi.waitFor(() => expect(at.types(run).filter((type) => type === 'finished')).toHaveLength(2), 20_000);
  });

  test('a refusal is told although the queue could not be written at first', async () => {
    const at = place();
    const { scheduler, feeds, queue, said } = scheduling(at);
    const run = await at.create('finish');
    writeFileSync(join(at.path(run), 'recipe.resolved.yaml'), 'another');
    const busy = new UserError({ what: 'another process is changing this file', code: 'file_busy' });
    const settle = vi.spyOn(queue, 'settle').mockRejectedValueOnce(busy);
    await scheduler.add(run, { priority: 'normal', by: null });
    await vi.waitFor(async () => expect((await feeds.get(run)).summary.refusal).not.toBeNull(), 20_000);
    expect(settle).toHaveBeenCalledTimes(2);
    expect(said).toEqual([expect.stringContaining('another process is changing this file')]);
    expect(queue.read()).toMatchObject({ waiting: [], refused: [{ run, error: { code: 'run_recipe_changed' } }] });
  });

  test('a run that is removed while it waits is out of the queue, and the log says so', async () => {
    const at = place();
    const { scheduler, queue, said } = scheduling(at);
    const run = await at.create('finish');
    await queue.add(entry(run, 'normal', 'cuda:7'));
    rmSync(at.path(run), { recursive: true });
    await scheduler.look();
    expect(queue.read().waiting).toEqual([]);
    expect(said).toEqual([`${run} is gone, and out of the queue`]);
  });

  test('whatever kills of the agent at any moment do, each run is trained once, one after the other', async () => {
    const at = place();
    const queue = new RunQueue(at.state);
    const runs: string[] = [];
    for (let number = 0; number < 6; number++) {
      const run = await at.create('finish', `run-${number}`);
      runs.push(run);
      await queue.add(entry(run, 'normal', deviceOfRun('auto')));
    }
    const program = join(import.meta.dirname, 'fixtures', 'scheduler.ts');
    for (let kill = 0; kill < 10; kill++) {
      const { child, ended } = startNode([program, at.workspace, at.state], at.workspace);
      // From before it has read the queue to after the next run has begun.
      await wait(200 + ((kill * 7) % 10) * 70);
      child.kill('SIGKILL');
      await ended;
    }
    const { scheduler, ended } = scheduling(at);
    await scheduler.look();
    // One after the other: how long all of them take together is up to the machine.
    for (const run of runs) await ended(run, 'finished');
    const once = ['run_created', 'started', ...Array(6).fill('step'), 'checkpoint', 'finished'];
    for (const run of runs) expect([run, at.types(run)]).toEqual([run, once]);
    const all = spans(at, runs);
    for (let index = 1; index < all.length; index++) {
      expect((all[index] as [number, number])[0]).toBeGreaterThanOrEqual((all[index - 1] as [number, number])[1]);
    }
    await scheduler.look();
    expect(queue.read()).toMatchObject({ waiting: [], refused: [] });
    expect(existsSync(join(at.state, 'queue.json.lock'))).toBe(false);
  });
});

test('the command line and the studio work on one queue', async () => {
  const at = makePlace();
  const daemon = await start(at);
  const { api } = client(daemon, await paired(daemon));
  const { recipe } = await api.recipes.begin.mutate();
  const anneal = annealIn(at.workspace, { XDG_DATA_HOME: process.env.XDG_DATA_HOME });
  expect((await anneal('queue', 'set', 'cpu', '0')).stdout).toBe('cpu begins no run\n');
  const train = (name: string) => anneal('train', recipe, '--queue', '--name', name, '--set', 'device=cpu', '--json');
  const [first] = [JSON.parse((await train('first')).stdout), await train('second')];
  expect(first).toMatchObject({ device: 'cpu', place: 1, of: 1, priority: 'normal' });
  const { run } = await api.recipes.start.mutate({ recipe, device: 'cpu', priority: 'high' });
  expect(await api.runs.get.query({ run })).toMatchObject({ state: 'queued', queued: { place: 1, of: 3 } });
  const names = async () =>
    (await anneal('queue', 'ls')).stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => /-(\w+) +(?:high|normal|low)/.exec(line)?.[1]);
  expect(await names()).toEqual(['starter', 'first', 'second']);
  expect((await anneal('queue', 'move', 'second', '1')).stdout).toMatch(/-second is at place 1\n$/);
  expect(await names()).toEqual(['second', 'starter', 'first']);
  expect((await anneal('queue', 'rm', 'first')).stdout).toMatch(/-first is out of the queue\n$/);
  expect(await api.runs.get.query({ run: first.run })).toMatchObject({ state: 'created', queued: null });
  await api.runs.resume.mutate({ run: first.run });
  expect(await names()).toEqual(['second', 'starter', 'first']);
  expect((await anneal('queue', 'rm', 'none')).stderr).toMatch(/no run that waits matches "none"/);
  expect((await anneal('train', recipe, '--queue', '--detach')).stderr).toMatch(/leave --detach out/);
  await expect(api.runs.resume.mutate({ run: 'project/runs/none' })).rejects.toMatchObject({
    data: { error: { code: 'run_not_found' } },
  });
  const elsewhere = annealIn(temporaryFolder(), { XDG_DATA_HOME: process.env.XDG_DATA_HOME });
  expect((await elsewhere('queue', 'ls')).stderr).toMatch(/no agent serves this folder/);
  await daemon.close();
  expect((await anneal('queue', 'ls')).stderr).toMatch(/no agent runs: they begin when one serves/);
});

test('a run whose device is gone is trained on another one, and says so; one that has begun keeps its device', async () => {
  const at = makePlace();
  const daemon = await start(at);
  const { api } = client(daemon, await paired(daemon));
  const { recipe } = await api.recipes.begin.mutate();
  const anneal = annealIn(at.workspace, { XDG_DATA_HOME: process.env.XDG_DATA_HOME });
  // As one that was made where there was such a device.
  const { resolvedText } = await openRecipe(join(at.workspace, recipe), ['device=cpu', 'max_steps=2']);
  const gone = resolvedText.replace('device: cpu', 'device: cuda:77');
  const made = await RunDirectory.create({
    root: join(at.workspace, 'runs'),
    name: 'gone',
    recipeText: gone,
    resolvedText: gone,
  });
  await made.close();
  const { path } = made;
  const run = relative(at.workspace, path);
  const queue = new RunQueue(AgentState.above(at.workspace).folder);
  await queue.setConcurrency('cpu', 0);
  await queue.add({ ...entry(run, 'normal', 'cuda:77'), afterSeq: readRun(path).status.seq });
  await vi.waitFor(async () => expect(await api.runs.get.query({ run })).toMatchObject({ state: 'queued' }), 20_000);
  await expect(api.queue.assign.mutate({ run, device: 'cuda:78' })).rejects.toMatchObject({
    data: { error: { code: 'device_not_found' } },
  });
  expect((await anneal('queue', 'assign', basename(path), 'cpu')).stdout).toMatch(/ waits for cpu, at place 1 of 1\n$/);
  expect(queue.read().waiting).toMatchObject([{ run, device: 'cpu', changes: ['device=cpu'] }]);
  await api.queue.setConcurrency.mutate({ device: 'cpu', runs: 1 });
  await vi.waitFor(() => expect(readRun(path)).toMatchObject({ state: 'finished', status: { error: null } }), {
    timeout: 60_000,
    interval: 100,
  });
  const events = [...readEvents(join(path, 'events.jsonl'))];
  expect(events.slice(0, 2)).toMatchObject([
    { type: 'run_created' },
    { type: 'recipe_changed', changes: [{ key: 'device', from: 'cuda:77', to: 'cpu' }] },
  ]);
  expect(await api.runs.get.query({ run })).toMatchObject({ device: 'cpu' });
  expect(stretchesOf(events)).toEqual([{ from: 0, changes: [] }]);
  // Once begun, its steps depend on the device.
  const file = join(path, 'recipe.resolved.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('device: cpu', 'device: cuda:77'));
  expect(() => onDevice({ changes: [] }, path, 'cpu')).toThrow(/a run keeps device for its whole life/);
});

test('what the host does is told to those who look, and to Prometheus with a token', async () => {
  const at = makePlace();
  const daemon = await start(at);
  const { api } = client(daemon, await paired(daemon));
  const sample = await new Promise<HostNow>((resolve, reject) => {
    const subscription = api.host.samples.subscribe(undefined, {
      onData: (told) => {
        subscription.unsubscribe();
        resolve(told);
      },
      onError: reject,
    });
  });
  expect(hostSampleSchema.parse(sample)).toMatchObject({ disk: { folder: at.workspace } });
  expect(sample.memory.available).toBeLessThanOrEqual(sample.memory.total);
  const metrics = (headers: Record<string, string>) => fetch(`${daemon.url}/metrics`, { headers });
  expect((await metrics({})).status).toBe(401);
  const anneal = annealIn(at.workspace, { XDG_DATA_HOME: process.env.XDG_DATA_HOME });
  const [chat, scrape] = await Promise.all(
    ['chat', 'metrics'].map(async (scope) => (await anneal('token', 'create', scope, '--scope', scope)).stdout.trim()),
  );
  expect((await metrics({ authorization: `Bearer ${chat}` })).status).toBe(403);
  const answer = await metrics({ authorization: `Bearer ${scrape}` });
  expect(answer.headers.get('content-type')).toContain('version=0.0.4');
  const text = await answer.text();
  expect(text).toMatch(/^# HELP anneal_queue_waiting .+\n# TYPE anneal_queue_waiting gauge$/m);
  expect(text).toMatch(/^anneal_queue_concurrency\{device="cpu"\} 1$/m);
  expect(text).toMatch(/^anneal_disk_free_bytes \d+$/m);
  for (const line of text.trim().split('\n')) expect(line).toMatch(/^(# (HELP|TYPE) .+|[a-z_]+(\{.+\})? [\d.e+-]+)$/);
});
