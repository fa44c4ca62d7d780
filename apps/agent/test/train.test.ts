import { appendFileSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunEvent } from '@anneal/core/protocol/events';
import { readEvents } from '@anneal/core/trainer/eventReader';
import { followEvents } from '@anneal/core/trainer/followEvents';
import { listRuns, readRun } from '@anneal/core/trainer/runReader';
import { expect, test } from 'vitest';
import { writeCapitalsTask, writeTinyModel } from '../../../packages/core/test/fixtures.ts';
import { exitCodes } from '../src/exitCodes.ts';
import { annealIn, annealPath, startNode, temporaryFolder } from './helpers/anneal.ts';

const recipe = `base_model: ./tiny-smollm2
datasets:
  - path: rows.jsonl
val_set_size: 4
sequence_len: 64
lora_r: 4
learning_rate: 0.01
warmup_steps: 0
max_steps: 8
save_steps: 4
sample_prompts: [ant bee]
sample_max_tokens: 8
bf16: false
`;

/** A folder with a tiny model, rows for it and a recipe. */
function project(): { folder: string; anneal: ReturnType<typeof annealIn> } {
  const folder = temporaryFolder();
  writeTinyModel(folder);
  writeCapitalsTask(folder);
  writeFileSync(join(folder, 'recipe.yaml'), recipe);
  return { folder, anneal: annealIn(folder) };
}

function json<T>(text: string): T {
  return JSON.parse(text) as T;
}

test('a look at the rows, an estimate, a run and its evaluation prepare the data once', async () => {
  const { folder } = project();
  const cache = join(folder, 'cache');
  const anneal = annealIn(folder, { ANNEAL_CACHE: cache });
  for (const args of [['inspect'], ['estimate'], ['train', '--set', 'max_steps=1', '--runs-dir', 'runs']]) {
    const [verb = '', ...options] = args;
    expect(await anneal(verb, 'recipe.yaml', ...options)).toMatchObject({ code: exitCodes.done });
  }
  expect(await anneal('eval', 'latest')).toMatchObject({ code: exitCodes.done });
  const [entry, ...others] = readdirSync(join(cache, 'prepared'));
  expect(others).toEqual([]);
  const [run] = readdirSync(join(folder, 'runs'));
  const { ino } = statSync(join(cache, 'prepared', entry ?? '', 'tokens.bin'));
  expect(statSync(join(folder, 'runs', run ?? '', 'data', 'tokens.bin')).ino).toBe(ino);
});

test('from a recipe to a run, and on to evaluation, chat and exports', async () => {
  const { folder, anneal } = project();
  const estimate = json<{ memory: { total: number } }>((await anneal('estimate', 'recipe.yaml', '--json')).stdout);
  const dry = await anneal('train', 'recipe.yaml', '--dry-run');
  expect(dry).toMatchObject({ code: exitCodes.done, stdout: expect.stringMatching(/^steps +8, /m) });
  expect(existsSync(join(folder, 'runs'))).toBe(false);

  const trained = await anneal('train', 'recipe.yaml', '--json');
  expect(trained).toMatchObject({ code: exitCodes.done, stderr: '' });
  const events = trained.stdout
    .trimEnd()
    .split('\n')
    .map((line) => json<RunEvent>(line));
  expect(events.map((event) => event.seq)).toEqual(events.map((_event, index) => index + 1));
  const planned = events.find((event) => event.type === 'planned');
  expect(planned?.memory['total']).toBe(estimate.memory.total);
  const losses = events.flatMap((event) => (event.type === 'step' ? [event.loss ?? Number.NaN] : []));
  expect(losses).toHaveLength(8);
  expect(losses.at(-1)).toBeLessThan((losses[0] ?? 0) / 1.2);

  const evaluated = events.findLast((event) => event.type === 'evaluated');
  const measured = json<{ loss: number; step: number }>((await anneal('eval', 'latest', '--json')).stdout);
  expect(measured).toMatchObject({ step: 8, loss: evaluated?.loss });
  const base = json<{ loss: number }>((await anneal('eval', 'latest', '--base', '--json')).stdout);
  expect(base.loss).toBeGreaterThan(measured.loss);

  const ask = ['--prompt', 'ant bee', '--temperature', '0', '--max-tokens', '8', '--dtype', 'f32', '--json'];
  const answer = json<{ text: string }>((await anneal('chat', 'latest', ...ask)).stdout).text;
  const sample = events.findLast((event) => event.type === 'sample');
  expect(answer).toBe(sample?.text);
  expect(json<{ text: string }>((await anneal('chat', 'latest', '--base', ...ask)).stdout).text).not.toBe(answer);

  const exported = await anneal('export', 'latest', '--lora', '--merged', 'f32', '--to', 'out', '--json');
  expect(exported.code).toBe(exitCodes.done);
  expect(readdirSync(join(folder, 'out', 'lora')).sort()).toEqual([
    'adapter_config.json',
    'adapter_model.safetensors',
    'tokenizer.json',
    'tokenizer_config.json',
  ]);
  const merged = await anneal('chat', 'out/merged', ...ask);
  expect(json<{ text: string }>(merged.stdout).text).toBe(answer);
});

test('Ctrl-C saves a checkpoint; --resume goes on, and only with the same recipe', async () => {
  const { folder, anneal } = project();
  const { child, ended } = startNode([annealPath, 'train', 'recipe.yaml', '--set', 'max_steps=100000'], folder);
  const [path] = await untilRunning(join(folder, 'runs'));
  child.kill('SIGINT');
  expect((await ended).code).toBe(exitCodes.stopped);
  const stopped = readRun(path);
  expect(stopped).toMatchObject({ state: 'stopped', owner: undefined });

  const changed = await anneal('train', 'recipe.yaml', '--resume');
  expect(changed.code).toBe(exitCodes.badInput);
  expect(changed.stderr).toContain('max_steps changed');

  const resumed = startNode([annealPath, 'train', 'recipe.yaml', '--set', 'max_steps=100000', '--resume'], folder);
  for await (const event of followEvents(path, { afterSeq: stopped.status.seq, isLive: () => true })) {
    if (event.type === 'step') break;
  }
  resumed.child.kill('SIGINT');
  const { stdout } = await resumed.ended;
  expect(stdout).toContain(`continuing after step ${stopped.status.step}`);
  expect(await listRuns(join(folder, 'runs'))).toEqual([path]);
});

test('a run is made longer by its name or its recipe, and a refusal leaves it as it was', async () => {
  const { folder, anneal } = project();
  expect((await anneal('train', 'recipe.yaml', '--json')).code).toBe(exitCodes.done);
  const [path = ''] = await listRuns(join(folder, 'runs'));
  const longer = await anneal('runs', 'resume', 'latest', '--set', 'max_steps=10', '--set', 'saves_per_epoch=0');
  expect(longer).toMatchObject({ code: exitCodes.done, stdout: expect.stringContaining('max_steps 8 → 10') });
  expect(readRun(path)).toMatchObject({ state: 'finished', status: { step: 10, totalSteps: 10 } });
  const again = await anneal('train', 'recipe.yaml', '--resume', '--set', 'max_steps=12', '--set', 'saves_per_epoch=0');
  expect(again.code).toBe(exitCodes.done);
  expect(readRun(path).status.step).toBe(12);

  const log = readFileSync(join(path, 'events.jsonl'), 'utf8');
  const status = readFileSync(join(path, 'status.json'), 'utf8');
  const refusals: [string[], string][] = [
    [['max_steps=12'], 'nothing left to continue'],
    [['max_steps=9'], 'would have 9'],
    [['learning_rate=1'], 'keeps learning_rate for its whole life'],
  ];
  for (const [set, said] of refusals) {
    for (const detach of [[], ['--detach']]) {
      const args = ['runs', 'resume', ...set.flatMap((each) => ['--set', each]), ...detach];
      expect(await anneal(...args)).toMatchObject({ code: exitCodes.badInput, stderr: expect.stringContaining(said) });
    }
  }
  appendFileSync(join(folder, 'rows.jsonl'), readFileSync(join(folder, 'rows.jsonl')));
  for (const detach of [[], ['--detach']]) {
    const changed = await anneal('runs', 'resume', '--set', 'max_steps=20', ...detach);
    expect(changed).toMatchObject({ code: exitCodes.badInput, stderr: expect.stringContaining('the data changed') });
  }
  expect(readFileSync(join(path, 'events.jsonl'), 'utf8')).toBe(log);
  expect(readFileSync(join(path, 'status.json'), 'utf8')).toBe(status);
});

test('a cache that cannot be written is no reason not to train', async () => {
  const { folder } = project();
  writeFileSync(join(folder, 'file'), '');
  const anneal = annealIn(folder, { ANNEAL_CACHE: join(folder, 'file', 'cache') });
  const { code, stdout } = await anneal('train', 'recipe.yaml', '--set', 'max_steps=1');
  expect(code).toBe(exitCodes.done);
  expect(stdout).toMatch(
    /^warning: hashes of models could not be kept.*\n {2}at .*file.cache\n {2}make the cache folder/m,
  );
});

test('--detach leaves a run that is followed, stopped and resumed from elsewhere', async () => {
  const { folder, anneal } = project();
  const detached = await anneal(
    'train',
    'recipe.yaml',
    '--set',
    'max_steps=100000',
    '--name',
    'long',
    '--detach',
    '--json',
  );
  const { path, pid } = json<{ path: string; pid: number }>(detached.stdout);
  await untilRunning(join(folder, 'runs'));
  expect(readRun(path).owner?.pid).toBe(pid);
  expect((await anneal('runs', 'stop', 'long')).stdout).toMatch(/stopped after step \d+/);
  expect([...readEvents(join(path, 'events.jsonl'))].at(-1)).toMatchObject({ type: 'stopped', why: 'asked' });
  expect((await anneal('runs', 'resume', 'long', '--detach')).code).toBe(exitCodes.done);
  for (let owner = readRun(path).owner; !owner; { owner } = readRun(path))
    await new Promise((resolve) => setTimeout(resolve, 20));
  expect((await anneal('runs', 'stop', 'long', '--now', '--json')).code).toBe(exitCodes.done);
  expect(readRun(path)).toMatchObject({ state: 'stopped', owner: undefined });
  expect([...readEvents(join(path, 'events.jsonl'))].at(-1)).toMatchObject({ type: 'stopped', why: 'at_once' });
});

test('rows that cannot be trained fail the run with the place and the way out', async () => {
  const { folder, anneal } = project();
  writeFileSync(join(folder, 'rows.jsonl'), '{"messages":[{"role":"user","content":"a"}]}\n');
  const { code, stderr } = await anneal('train', 'recipe.yaml', '--set', 'val_set_size=0');
  expect(code).toBe(exitCodes.badInput);
  expect(stderr).toMatch(/^error: nothing would be trained.*\n {2}at .*rows\.jsonl:1.*\n {2}\S/);
  const [path = ''] = await listRuns(join(folder, 'runs'));
  expect(readRun(path)).toMatchObject({ state: 'failed', status: { error: { code: 'nothing_supervised' } } });
});

test('a model that is not here is said before there is a run', async () => {
  const { folder, anneal } = project();
  const { code, stderr } = await anneal('train', 'recipe.yaml', '--set', 'base_model=someone/nothing');
  expect(code).toBe(exitCodes.badInput);
  expect(stderr).toContain('anneal pull someone/nothing');
  expect(existsSync(join(folder, 'runs'))).toBe(false);
});

test('inspect shows the mask, the verdicts, and the report even where training would refuse', async () => {
  const { anneal } = project();
  const shown = await anneal('inspect', 'recipe.yaml', '--row', '1');
  expect(shown.stdout).toMatch(/⟦A·N·T· ·A·N·T·<\|im_end\|>⟧⏎/);
  expect(shown.stdout).toMatch(/kept {2}\d+ tokens, 8 trained/);

  const all = json<{ report: { summary: { rows: number } } }>(
    (await anneal('inspect', 'recipe.yaml', '--json')).stdout,
  );
  expect(all.report.summary.rows).toBe(24);

  const tooLong = await anneal('inspect', 'recipe.yaml', '--set', 'sequence_len=36');
  expect(tooLong.code).toBe(exitCodes.badInput);
  expect(tooLong.stderr).toMatch(/rows are longer than sequence_len 36/);
  expect(tooLong.stdout).toMatch(/^rows +24: \d+ kept, 0 truncated, \d+ dropped/m);

  const verdicts = json<{ verdicts: { verdict: { kind: string } }[] }>(
    (await anneal('inspect', 'recipe.yaml', '--verdicts', '--set', 'sequence_len=36', '--json')).stdout,
  ).verdicts;
  expect(verdicts).toHaveLength(24);
  expect(new Set(verdicts.map(({ verdict }) => verdict.kind))).toEqual(new Set(['kept', 'dropped']));
});

test('selftest passes with the starter model', async () => {
  const { code, stdout } = await annealIn(temporaryFolder())('selftest', '--json');
  expect(json<{ results: unknown[] }>(stdout)).toMatchObject({
    passed: true,
    results: expect.arrayContaining([expect.objectContaining({ name: 'export', passed: true })]),
  });
  expect(code).toBe(exitCodes.done);
});

test('selftest trains and resumes to the same bits, and fails when one of its checks does', async () => {
  const { anneal } = project();
  const { code, stdout } = await anneal('selftest', '--model', './tiny-smollm2', '--json');
  expect(code).toBe(exitCodes.failed);
  const { passed, results } = json<{ passed: boolean; results: { name: string }[] }>(stdout);
  expect(passed).toBe(false);
  const [ops, rest] = [true, false].map((op) => results.filter(({ name }) => name.startsWith('op ') === op));
  expect(ops?.length).toBeGreaterThan(10);
  for (const op of ops ?? []) expect(op).toMatchObject({ passed: true });
  expect(rest).toMatchObject([
    { name: 'activations: keep', passed: true },
    { name: 'activations: recompute', passed: true },
    { name: 'activations: keep, in tiles', passed: true },
    { name: 'activations: recompute, in tiles', passed: true },
    { name: 'training', passed: true },
    { name: 'same seed, same bits', passed: true },
    { name: 'stopped and resumed, same bits', passed: true },
    // The tokenizer of the tiny model is one that GGUF does not know.
    { name: 'export', passed: false, detail: expect.stringContaining('llama.cpp has no tokenizer like this') },
  ]);
});

test('what a run leaves is what docs/run-directory.md says', async () => {
  const { folder, anneal } = project();
  await anneal('train', 'recipe.yaml');
  const [path = ''] = await listRuns(join(folder, 'runs'));
  const text = readFileSync(join(import.meta.dirname, '../../../docs/run-directory.md'), 'utf8');
  const files = readdirSync(path);
  for (const file of files) expect(text).toMatch(new RegExp(`^ {2}${file.replace('.', '\\.')}`, 'm'));
  expect(files).not.toContain('run.lock');
  expect(readdirSync(join(path, 'checkpoints')).sort()).toEqual(['checkpoint-4', 'checkpoint-8']);
});

async function untilRunning(root: string): Promise<[string]> {
  for (;;) {
    const [path] = await listRuns(root);
    if (path && readRun(path).status.step >= 2) return [path];
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('several seeds: a run each, compared at the end; a list that is none, or what cannot go with it, starts nothing', async () => {
  const { folder, anneal } = project();
  const options = ['--set', 'max_steps=2', '--set', 'sample_prompts=[]', '--runs-dir', 'runs'];
  const trained = await anneal('train', 'recipe.yaml', '--seeds', '5,6', ...options);
  expect(trained.code).toBe(exitCodes.done);
  expect(trained.stdout).toMatch(/^5, 6 +2 +[\d.e-]+ ± [\d.e-]+/m);
  expect(trained.stderr).toContain('which rows are held out');
  const runs = readdirSync(join(folder, 'runs'));
  expect(runs.map((run) => run.replace(/^.*-seed-/, '')).toSorted()).toEqual(['5', '6']);
  const paths = runs.map((run) => join('runs', run));
  const compared = await anneal('runs', 'compare', ...paths, '--json');
  expect(json<{ seeds: unknown[] }>(compared.stdout).seeds).toHaveLength(1);
  for (const refused of [['5'], ['5,5'], ['5,x'], ['5,6', '--detach'], ['5,6', '--set', 'seed=1']]) {
    const { code } = await anneal('train', 'recipe.yaml', '--seeds', ...refused, ...options);
    expect(code).toBe(exitCodes.badInput);
  }
  expect(readdirSync(join(folder, 'runs'))).toHaveLength(2);
});
