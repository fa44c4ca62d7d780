import { spawn } from 'node:child_process';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import type { EventBody } from '../protocol/events.ts';
import { followEvents } from './followEvents.ts';
import { RunDirectory } from './runDirectory.ts';
import { findRun, listRuns, readRun } from './runReader.ts';

let root: string;
let run: RunDirectory;

const step = (number: number): EventBody => ({
  type: 'step',
  step: number,
  epoch: 0.5,
  loss: 2,
  gradNorm: 1,
  learningRate: 1e-4,
  tokens: 10,
  targetTokens: 5,
  tokensPerSecond: 100,
  milliseconds: 100,
});

const create = (name = 'My recipe!') =>
  RunDirectory.create({ root, name, recipeText: 'seed: 1\n', resolvedText: 'seed: 1\nepochs: 1\n' });

const save = (number: number, metric?: number, limit?: number) =>
  run.saveCheckpoint(number, async (folder) => writeFileSync(join(folder, 'weights'), String(number)), {
    metric,
    limit,
  });
const steps = async () => (await run.checkpoints()).map((checkpoint) => checkpoint.step);

beforeEach(async () => {
  root = temporaryFolder('run');
  run = await create();
});

const errorCode = async (action: () => unknown): Promise<string | undefined> => {
  try {
    await action();
    return undefined;
  } catch (error) {
    return (error as { code?: string }).code;
  }
};

describe('events', () => {
  test('are numbered on over launches, and a torn last line is cut', async () => {
    run.record({ type: 'started', totalSteps: 3 });
    run.record(step(1));
    await run.close();
    appendFileSync(join(run.path, 'events.jsonl'), '{"seq":4,"time":"2026-');
    expect(readRun(run.path).status.seq).toBe(3);

    const again = await RunDirectory.open(run.path);
    expect(again.record(step(2)).seq).toBe(4);
    await again.close();
    const lines = readFileSync(join(run.path, 'events.jsonl'), 'utf8').trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual([1, 2, 3, 4]);
  });

  test('a damaged line in the middle is refused with its number, and the lock is given back', async () => {
    run.record(step(1));
    run.record(step(2));
    await run.close();
    const path = join(run.path, 'events.jsonl');
    const lines = readFileSync(path, 'utf8').split('\n');
    lines[1] = lines[1]?.slice(5) ?? '';
    writeFileSync(path, lines.join('\n'));
    await expect(RunDirectory.open(run.path)).rejects.toMatchObject({
      code: 'event_log_damaged',
      where: `${path}:2`,
    });
    expect(existsSync(join(run.path, 'run.lock'))).toBe(false);
  });

  test('a loss that is not finite is written as null, a wrong event is an error and writes nothing', async () => {
    run.record({ ...step(1), loss: Number.NaN } as EventBody);
    expect(() => run.record({ ...step(-1) } as EventBody)).toThrow(/step/);
    expect(run.record(step(2)).seq).toBe(3);
    await run.close();
    expect(run.events.at(1)).toMatchObject({ type: 'step', loss: null });
    expect(readRun(run.path).status).toEqual(run.status);
  });

  test('a follower gets every event once, in order, until the writer is gone', async () => {
    const seen: number[] = [];
    const following = (async () => {
      for await (const event of followEvents(run.path, { afterSeq: 1 })) seen.push(event.seq);
    })();
    for (let number = 1; number <= 50; number++) {
      run.record(step(number));
      if (number % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 8));
    }
    run.record({ type: 'finished', step: 50, loss: 1 });
    await run.close();
    await following;
    expect(seen).toEqual(Array.from({ length: 51 }, (_, index) => index + 2));
  });
});

describe('status', () => {
  test('follows the events and is on the disk', async () => {
    run.record({ type: 'planned', memory: { weights: 10, total: 20 } });
    expect(run.status.state).toBe('preparing');
    run.record({ type: 'started', totalSteps: 9 });
    run.record(step(4));
    run.record({ type: 'failed', error: { code: 'loss_not_finite', what: 'the loss is not finite' } });
    const written = JSON.parse(readFileSync(join(run.path, 'status.json'), 'utf8')) as unknown;
    expect(written).toEqual(run.status);
    expect(written).toMatchObject({ state: 'failed', step: 4, totalSteps: 9, error: { code: 'loss_not_finite' } });
    await run.close();
  });

  test('is right for readers whatever status.json says, also when the log is longer than what they read of it', async () => {
    run.record({ type: 'started', totalSteps: 2000 });
    for (let number = 1; number <= 1000; number++) run.record(step(number));
    const path = join(run.path, 'status.json');
    const early = { ...run.status, seq: 3, step: 1 };
    const late = { ...run.status, seq: run.status.seq - 5, step: 995 };
    for (const text of [JSON.stringify(early), JSON.stringify(late), '{"id":', JSON.stringify(run.status)]) {
      writeFileSync(path, text);
      expect(readRun(run.path).status).toEqual(run.status);
    }
    rmSync(path);
    expect(readRun(run.path).status).toEqual(run.status);
    await run.close();
  });

  test('a run whose process was killed is interrupted', async () => {
    await run.close();
    const writer = join(import.meta.dirname, 'testing', 'writeRun.ts');
    const child = spawn(process.execPath, [writer, run.path, '100000']);
    const ended = new Promise((resolve) => child.once('exit', resolve));
    for await (const event of followEvents(run.path, { isLive: () => child.exitCode === null })) {
      if (event.type === 'step') break;
    }
    expect(readRun(run.path).state).toBe('running');
    expect(await errorCode(() => RunDirectory.open(run.path))).toBe('run_in_use');
    child.kill('SIGKILL');
    await ended;
    expect(readRun(run.path)).toMatchObject({ state: 'interrupted', status: { state: 'running' } });
    await (await RunDirectory.open(run.path)).close();
  });
});

describe('lock', () => {
  test('one writer at a time', async () => {
    await expect(RunDirectory.open(run.path)).rejects.toMatchObject({ code: 'run_in_use' });
    await run.close();
    await (await RunDirectory.open(run.path)).close();
  });

  test('of a reused pid, an earlier boot or damaged is stale; of another host it holds', async () => {
    const path = join(run.path, 'run.lock');
    const own = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    await run.close();
    for (const stale of [
      { ...own, processStart: '1' },
      { ...own, boot: 'earlier' },
      { ...own, pid: 2 ** 22 + 1 },
    ]) {
      writeFileSync(path, JSON.stringify(stale));
      await (await RunDirectory.open(run.path)).close();
    }
    writeFileSync(path, '{"pid":');
    await (await RunDirectory.open(run.path)).close();
    writeFileSync(path, JSON.stringify({ ...own, host: 'elsewhere' }));
    expect(await errorCode(() => RunDirectory.open(run.path))).toBe('run_in_use');
  });
});

describe('checkpoints', () => {
  test('are found in order of their step, the best by its metric', async () => {
    expect(await run.latestCheckpoint()).toBeUndefined();
    await save(90, 2);
    await save(100, 3);
    await save(9);
    expect(await steps()).toEqual([9, 90, 100]);
    expect((await run.bestCheckpoint())?.step).toBe(90);
    expect(run.status.checkpoint).toBe('checkpoints/checkpoint-9');
    await run.close();
  });

  test.each([
    { limit: 1, left: [20, 50] },
    { limit: 2, left: [20, 40, 50] },
    { limit: 3, left: [20, 30, 40, 50] },
    { limit: 9, left: [10, 20, 30, 40, 50] },
  ])('save_total_limit $limit keeps the newest and the best besides', async ({ limit, left }) => {
    for (const [number, metric] of [
      [10, 3],
      [20, 1],
      [30, 2],
      [40, 2],
      [50, 2],
    ] as const)
      await save(number, metric, limit);
    expect(await steps()).toEqual(left);
    await run.close();
  });

  test('a write that fails leaves nothing and the earlier ones whole', async () => {
    await save(1);
    const full = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    const failing = run.saveCheckpoint(2, async (folder) => {
      writeFileSync(join(folder, 'weights'), 'half');
      throw full;
    });
    await expect(failing).rejects.toMatchObject({
      code: 'disk_full',
      where: join(run.path, 'checkpoints/checkpoint-2'),
    });
    expect(readdirSync(join(run.path, 'checkpoints'))).toEqual(['checkpoint-1']);
    await run.close();
  });

  test('opening clears what a crash left and undoes a half replaced one', async () => {
    await save(1);
    await save(2);
    await run.close();
    const folder = join(run.path, 'checkpoints');
    mkdirSync(join(folder, '.checkpoint-3.partial'));
    mkdirSync(join(folder, 'checkpoint-4'));
    writeFileSync(join(folder, 'checkpoint-4', 'weights'), 'half');
    renameSync(join(folder, 'checkpoint-2'), join(folder, 'checkpoint-2.replaced'));
    run = await RunDirectory.open(run.path);
    expect(readdirSync(folder).sort()).toEqual(['checkpoint-1', 'checkpoint-2']);
    expect(readFileSync(join(folder, 'checkpoint-2', 'weights'), 'utf8')).toBe('2');
    await save(2);
    expect(await steps()).toEqual([1, 2]);
    await run.close();
  });
});

describe('folder', () => {
  test('ids sort by time, name the recipe and never clash', async () => {
    const others = await Promise.all([create(), create(), create('日本 語')]);
    expect(run.id).toMatch(/^\d{8}-\d{6}-my-recipe$/);
    expect(others[2]?.id).toMatch(/^\d{8}-\d{6}-日本-語$/);
    expect(new Set([run, ...others].map((each) => each.path)).size).toBe(4);
    for (const each of [run, ...others]) await each.close();
    expect(await listRuns(root)).toHaveLength(4);
    expect(readFileSync(join(run.path, 'recipe.yaml'), 'utf8')).toBe('seed: 1\n');
    expect(run.readResolvedRecipe()).toBe('seed: 1\nepochs: 1\n');
    expect(await findRun(root, run.id)).toBe(run.path);
    expect(await errorCode(() => findRun(root, 'nothing'))).toBe('run_not_found');
    expect(await errorCode(() => findRun(root, run.id.slice(0, 8)))).toBe('run_ambiguous');
  });

  test('lock.json holds the hashes and refuses others', async () => {
    const hashes = { model: 'a', data: 'b', template: 'c', tokenizer: 'd' };
    run.pin(hashes);
    run.pin(hashes);
    expect(() => run.pin({ ...hashes, data: 'x', template: 'y' })).toThrow(/the data, template changed/);
    expect(JSON.parse(readFileSync(join(run.path, 'lock.json'), 'utf8'))).toEqual(hashes);
    await run.close();
  });

  test('a run that cannot be completed leaves nothing behind', async () => {
    const before = readdirSync(root);
    const unwritable = {} as unknown as string;
    const creating = RunDirectory.create({ root, name: 'x', recipeText: '', resolvedText: unwritable });
    await expect(creating).rejects.toMatchObject({ code: 'ERR_INVALID_ARG_TYPE' });
    expect(readdirSync(root)).toEqual(before);
  });

  test('where nothing can be written, no run is created', async () => {
    await run.close();
    const file = join(root, 'file');
    writeFileSync(file, '');
    const creating = RunDirectory.create({ root: file, name: 'x', recipeText: '', resolvedText: '' });
    await expect(creating).rejects.toMatchObject({ code: 'folder_not_writable', where: file });
  });

  test('another folder is refused', async () => {
    await run.close();
    expect(await errorCode(() => RunDirectory.open(root))).toBe('run_not_found');
  });
});
