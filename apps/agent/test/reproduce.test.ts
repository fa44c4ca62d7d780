import { appendFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { Reproduction, ReproductionProgress } from '@anneal/core/protocol/reproductions';
import { firstSettings, stretchesOf } from '@anneal/core/trainer/repetition';
import { readRun } from '@anneal/core/trainer/runReader';
import { beforeAll, expect, test } from 'vitest';
import { writeCapitalsTask, writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { temporaryFolder } from '../../../scripts/testing/temporaryFolder.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { reproduceRun } from '../src/service/runs/reproduce.ts';
import { annealIn } from './helpers/anneal.ts';

const recipe = `base_model: ./tiny-smollm2
datasets:
  - path: rows.jsonl
val_set_size: 4
sequence_len: 64
lora_r: 4
learning_rate: 0.01
warmup_steps: 0
max_steps: 6
save_steps: 3
bf16: false
`;

let folder: string;
let path: string;
let anneal: ReturnType<typeof annealIn>;

/** A run that was made longer: its learning rate followed another schedule up to step 6 than after it. */
beforeAll(async () => {
  folder = temporaryFolder('reproduce');
  writeTinyModel(folder);
  writeCapitalsTask(folder);
  writeFileSync(join(folder, 'recipe.yaml'), recipe);
  anneal = annealIn(folder, { ANNEAL_CACHE: join(folder, 'cache') });
  expect((await anneal('train', 'recipe.yaml')).code).toBe(exitCodes.done);
  expect((await anneal('runs', 'resume', '--set', 'max_steps=9')).code).toBe(exitCodes.done);
  path = join(folder, 'runs', readdirSync(join(folder, 'runs'))[0] ?? '');
});

test('the bits come out again, under each schedule that the run has had, and nothing is left', async () => {
  const before = readFileSync(join(path, 'events.jsonl'));
  const { code, stdout } = await anneal('reproduce', '--json');
  const result = JSON.parse(stdout) as Reproduction;
  expect(result).toMatchObject({ agrees: true, until: 9, steps: 9, firstDifference: null, kept: null });
  expect(result.checkpoints).toEqual([3, 6, 9].map((step) => ({ step, differences: [] })));
  expect(result.environments.repeated).toEqual(result.environments.original);
  expect(code).toBe(exitCodes.done);
  expect(readdirSync(join(folder, 'runs'))).toEqual([basename(path)]);
  expect(readFileSync(join(path, 'events.jsonl'))).toEqual(before);
});

test('other instructions give other bits: the first step, the tensors and the cause are named', async () => {
  const plain = annealIn(folder, { ANNEAL_CACHE: join(folder, 'cache'), ANNEAL_ISA: 'plain' });
  const { code, stdout } = await plain('reproduce', 'latest', '--until', '4', '--into', 'again');
  expect(code).toBe(exitCodes.failed);
  expect(stdout).toMatch(/^differs {2}step [1-4] is the first one .* of 4 recorded steps up to step 4$/m);
  expect(stdout).toMatch(/^differs {2}checkpoint 3\n {9}adapter_model.safetensors: other bytes\n {11}\S+: [\d,]+ of/m);
  expect(stdout).not.toContain('checkpoint 6');
  expect(stdout).toMatch(/ {2}instruction set: \S+ → plain\n.*again.*\n.*does not come out the same/);
  const [kept = ''] = readdirSync(join(folder, 'again'));
  expect(readRun(join(folder, 'again', kept))).toMatchObject({ state: 'stopped', status: { step: 4 } });
});

test('everything that is missing is said before anything begins', async () => {
  const rows = join(folder, 'rows.jsonl');
  const text = readFileSync(rows);
  appendFileSync(rows, text);
  renameSync(join(folder, 'tiny-smollm2'), join(folder, 'elsewhere'));
  try {
    const { code, stderr } = await anneal('reproduce');
    expect(code).toBe(exitCodes.badInput);
    expect(stderr).toMatch(/model .*is not here|no model folder/);
    expect(stderr).toContain('a data file has other bytes than this run was trained on');
  } finally {
    writeFileSync(rows, text);
    renameSync(join(folder, 'elsewhere'), join(folder, 'tiny-smollm2'));
  }
  expect((await anneal('reproduce', '--until', '10')).stderr).toContain('the run has 9 steps');
  expect(readdirSync(join(folder, 'runs'))).toEqual([basename(path)]);
});

test('a cancel ends the process that trains, and leaves nothing', async () => {
  const cancelled = new AbortController();
  const seen: ReproductionProgress[] = [];
  const work = async () => {
    for await (const progress of reproduceRun({ runsFolder: dirname(path), signal: cancelled.signal }, { run: path })) {
      seen.push(progress);
      if (progress.phase === 'training') cancelled.abort();
    }
  };
  await expect(work()).rejects.toThrow('aborted');
  expect(seen.map(({ phase }) => phase)).not.toContain('comparing');
  expect(readdirSync(join(folder, 'runs'))).toEqual([basename(path)]);
});

test('of a recipe that was changed again from an earlier step on, only what still counts is repeated', () => {
  const events = [changed(10, 20), resumed(10), changed(20, 30), resumed(20), changed(30, 40), resumed(15)];
  const numbered = events.map((event, i) => ({ ...event, seq: i + 1, time: '2026-01-31T00:00:00.000Z' }));
  const stretches = stretchesOf(numbered);
  expect(stretches.map(({ from, changes }) => [from, changes.at(-1)?.to])).toEqual([
    [0, undefined],
    [10, 20],
    [15, 40],
  ]);
  expect(firstSettings(stretches)).toEqual(['max_steps=10']);
});

function changed(from: number, to: number) {
  const changes = [{ key: 'max_steps', from, to }];
  return { type: 'recipe_changed' as const, changes, recipeSha256: '0'.repeat(64) };
}

function resumed(fromStep: number) {
  return { type: 'resumed' as const, fromStep };
}
