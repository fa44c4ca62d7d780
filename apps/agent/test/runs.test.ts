import { spawnSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { followEvents } from '@anneal/core/trainer/followEvents';
import { RunDirectory } from '@anneal/core/trainer/runDirectory';
import { readRun } from '@anneal/core/trainer/runReader';
import { thisProcess } from '@anneal/formats/files/processOwner';
import { beforeEach, expect, test } from 'vitest';
import { exitCodes } from '../src/exitCodes.ts';
import { startDetached } from '../src/runner/startWorker.ts';
import { annealIn, annealPath, type Ended, temporaryFolder } from './helpers/anneal.ts';

const worker = join(import.meta.dirname, 'fixtures', 'worker.ts');
let folder: string;
let run: (...args: string[]) => Promise<Ended>;

beforeEach(() => {
  folder = temporaryFolder();
  writeFileSync(join(folder, 'rows.jsonl'), '{}\n');
  run = (...args) => annealIn(folder)('runs', ...args);
});

/** A finished run with four steps whose loss ends at `loss`, interrupted and resumed after step 2. */
async function finishedRun(
  name: string,
  rank: number,
  loss: number,
  { recorded = [1, 2, 3, 4], peakMemory }: { recorded?: number[]; peakMemory?: number } = {},
): Promise<string> {
  const text = `base_model: smollm2-135m\nlora_r: ${rank}\ndatasets:\n  - {path: rows.jsonl}\n`;
  const directory = await RunDirectory.create({
    root: join(folder, 'runs'),
    name,
    recipeText: text,
    resolvedText: text,
  });
  const step = (number: number, value: number) =>
    directory.record({
      type: 'step',
      step: number,
      epoch: number / 4,
      loss: value,
      gradNorm: 1,
      learningRate: 1e-4,
      tokens: 512,
      targetTokens: 100,
      tokensPerSecond: 1024,
      milliseconds: 500,
    });
  directory.record({ type: 'planned', memory: { total: 2e9 } });
  directory.recordStart({ totalSteps: 4, fromStep: 0 });
  for (const number of [1, 2, 3]) step(number, 100);
  directory.recordStart({ totalSteps: 4, fromStep: 0 });
  for (const number of recorded) step(number, loss);
  directory.record({ type: 'evaluated', step: 4, loss: loss + 0.5, perplexity: Math.exp(loss + 0.5) });
  await directory.saveCheckpoint(4, async (path) => writeFileSync(join(path, 'weights'), ''), { metric: loss + 0.5 });
  directory.record({ type: 'finished', step: 4, loss, peakMemory });
  await directory.close();
  return directory.id;
}

/** A run in its first steps in a process of its own; `text`: as what the worker of the tests behaves. */
async function detachedRun(text: string): Promise<string> {
  const root = join(folder, 'runs');
  const directory = await RunDirectory.create({ root, name: 'long', recipeText: text, resolvedText: text });
  await directory.close();
  startDetached(directory.path, { worker });
  for await (const event of followEvents(directory.path, { isLive: () => true })) if (event.type === 'step') break;
  return directory.path;
}

test('ls, show and logs tell what the files say', async () => {
  const id = await finishedRun('first', 8, 1.25);
  const list = await run('ls');
  expect(list.code).toBe(exitCodes.done);
  expect(list.stdout.split('\n')[1]).toMatch(new RegExp(`^${id} +finished +4/4 +1.25 +1.75 +\\d{4}-`));
  expect(JSON.parse((await run('ls', '--json')).stdout)).toMatchObject([
    { id, state: 'finished', step: 4, loss: 1.25 },
  ]);

  expect((await run('show', 'first')).stdout).toMatch(/^checkpoints +4 \(best\)$/m);
  expect(JSON.parse((await run('show', '--json')).stdout)).toMatchObject({
    id,
    checkpoints: [{ step: 4, metric: 1.75 }],
    lock: null,
  });

  const logs = (await run('logs', id, '--json')).stdout.trimEnd().split('\n');
  expect(logs.map((line) => (JSON.parse(line) as { seq: number }).seq)).toEqual(logs.map((_line, index) => index + 1));
  appendFileSync(join(folder, 'runs', id, 'run.log'), 'a\nb\n');
  expect((await run('logs', id, '--output')).stdout).toBe('a\nb\n');
  expect((await run('logs', id, '--output', '--json')).stdout).toBe('{"line":"a"}\n{"line":"b"}\n');
  expect((await run('logs', id, '--follow')).stdout).toContain('starting again from the first step');
});

test('logs --output --search says the lines and where they are', async () => {
  const id = await finishedRun('first', 8, 1.25);
  writeFileSync(join(folder, 'runs', id, 'run.log'), 'begins\nA Warning\nends\n');
  expect((await run('logs', id, '--output', '--search', 'warning')).stdout).toBe('2: A Warning\n');
  expect((await run('logs', id, '--output', '--search', 'fault')).stderr).toContain('no line of what the process');
  writeFileSync(join(folder, 'runs', id, 'run.log'), '');
  expect((await run('logs', id, '--output')).stderr).toContain('has printed nothing');
  expect((await run('logs', id, '--search', 'warning')).stderr).toContain('--search is given without --output');
});

test('compare shows what differs, from the steps that count', async () => {
  const first = await finishedRun('first', 8, 1.25);
  const second = await finishedRun('second', 16, 1.5);
  const { stdout } = await run('compare', first, second);
  expect(stdout).toMatch(/^lora_r +8 +16$/m);
  expect(stdout).not.toContain('base_model');
  expect(stdout).toMatch(/^loss, mean of the last 10 recorded steps +1.25 +1.5$/m);
  expect(stdout).toMatch(/^loss, mean of 4 steps recorded in both, 1 to 4 +1.25 +1.5$/m);
  expect(stdout).toMatch(/^tokens +2,048 +2,048$/m);
  expect(JSON.parse((await run('compare', first, second, '--json')).stdout)).toMatchObject({
    recipe: [{ key: 'lora_r', a: 8, b: 16 }],
    runs: [
      { steps: 4, recordedSteps: 4, loss: 1.25, tokensPerSecond: 1024 },
      { steps: 4, loss: 1.5, bestValidationLoss: 2 },
    ],
  });
});

test('compare --csv is a table of the runs, with --steps of their losses', async () => {
  const runs = [await finishedRun('first', 8, 1.25), await finishedRun('second', 16, 1.5)];
  const [head, first, second] = (await run('compare', ...runs, '--csv')).stdout.split('\n');
  expect(head).toMatch(/^run,state,steps,.*,lora_r$/);
  expect(first).toMatch(new RegExp(`${runs[0]},finished,4,4,1.25,.*,8$`));
  expect(second).toMatch(/,16$/);
  const steps = (await run('compare', ...runs, '--csv', '--steps')).stdout.trim().split('\n');
  expect(steps.slice(1)).toEqual(['1,1.25,1.5', '2,1.25,1.5', '3,1.25,1.5', '4,1.25,1.5']);
  expect((await run('compare', ...runs, '--csv', '--json')).code).toBe(exitCodes.badInput);
});

test('compare of runs that recorded other steps says how many, and takes those of both', async () => {
  const first = await finishedRun('first', 8, 1.25, { recorded: [2, 4] });
  const second = await finishedRun('second', 8, 1.5);
  const { stdout } = await run('compare', first, second);
  expect(stdout).toMatch(/^steps +4, 2 recorded +4$/m);
  expect(stdout).toMatch(/^loss, mean of 2 steps recorded in both, 2 to 4 +1.25 +1.5$/m);
  expect(stdout).toMatch(/^tokens +1,024 in 2 steps +2,048$/m);
  expect(stdout).toMatch(/^time in steps +1.0 s in 2 steps +2.0 s$/m);
});

test('compare of many runs has a line for each; one alone and more than 50 are refused', async () => {
  const ranks = [8, 8, 16];
  const runs: string[] = [];
  for (const [at, rank] of ranks.entries()) runs.push(await finishedRun(`run-${at}`, rank, 1 + at / 4));
  const { stdout } = await run('compare', ...runs);
  expect(stdout).toMatch(/^RECIPE +1 +2 +3$/m);
  expect(stdout).toMatch(/^lora_r +8 +8 +16$/m);
  expect(stdout).toMatch(new RegExp(`^1 +${runs[0]} +finished +4 +1.0* +1.0* +1.5`, 'm'));
  expect(stdout).toMatch(new RegExp(`^3 +${runs[2]} +finished +4 +1.5 +1.5 +0.5 +2`, 'm'));
  expect(stdout).toContain('COMMON: loss, mean of 4 steps recorded in all, 1 to 4');
  const json = JSON.parse((await run('compare', ...runs, '--json')).stdout) as { steps: unknown[] };
  expect(json).toMatchObject({
    recipe: [{ key: 'lora_r', values: [8, 8, 16] }],
    runs: [{ loss: 1 }, {}, { loss: 1.5 }],
  });
  expect(json.steps[0]).toEqual({ step: 1, losses: [1, 1.25, 1.5] });

  const one = await run('compare', 'latest');
  expect(one).toMatchObject({ code: exitCodes.badInput, stderr: expect.stringContaining('two runs or more') });
  const many = await run('compare', ...Array.from({ length: 51 }, () => 'latest'));
  expect(many).toMatchObject({ code: exitCodes.badInput, stderr: expect.stringContaining('at most 50 runs') });
});

test('stop ends a detached run with a checkpoint, and refuses one that is not running', async () => {
  const path = await detachedRun('forever');

  const stopped = await run('stop');
  expect(stopped.code).toBe(exitCodes.done);
  expect(stopped.stdout).toMatch(/long stopped after step \d+\n$/);
  expect(readRun(path)).toMatchObject({ state: 'stopped', owner: undefined });

  const again = await run('stop');
  expect(again.code).toBe(exitCodes.badInput);
  expect(again.stderr).toContain('not running: it is stopped');
});

test('stop signals nobody but the process that trains the run', async () => {
  const path = await detachedRun('normal');
  while (readRun(path).owner) await new Promise((resolve) => setTimeout(resolve, 20));
  // This process is alive since the start that the lock names, and has nothing to do with the run.
  writeFileSync(join(path, 'run.lock'), JSON.stringify(thisProcess()));
  const { code, stderr } = await run('stop');
  expect(code).toBe(exitCodes.badInput);
  expect(stderr).toContain('which does not train it');
});

test('save asks for a checkpoint, and the run goes on', async () => {
  const path = await detachedRun('forever');
  expect(await run('save')).toMatchObject({
    code: exitCodes.done,
    stdout: expect.stringContaining('saves a checkpoint'),
  });
  for await (const event of followEvents(path)) if (event.type === 'checkpoint') break;
  expect(readRun(path).state).toBe('running');
  expect((await run('stop')).code).toBe(exitCodes.done);
  expect(await run('save')).toMatchObject({ code: exitCodes.badInput, stderr: expect.stringContaining('not running') });
});

test('stop --now ends it without a checkpoint', async () => {
  await detachedRun('stubborn');
  expect((await run('stop', '--now')).stdout).toMatch(/stopped after step 0\n$/);
});

test('a damaged run hides no other, and says where it is damaged', async () => {
  const [bad, good] = [await finishedRun('bad', 8, 1), await finishedRun('good', 8, 1.25)];
  const log = join(folder, 'runs', bad, 'events.jsonl');
  writeFileSync(log, `not an event\n${readFileSync(log, 'utf8')}`);
  const { code, stdout, stderr } = await run('ls');
  expect(code).toBe(exitCodes.done);
  expect(stdout).toMatch(new RegExp(`^${bad} +damaged$`, 'm'));
  expect(stdout).toMatch(new RegExp(`^${good} +finished`, 'm'));
  expect(stderr).toContain(`${log}:1`);
  expect(JSON.parse((await run('ls', '--json')).stdout)).toMatchObject([
    { id: bad, state: 'damaged', error: { code: 'event_log_damaged' } },
    { id: good, state: 'finished' },
  ]);
  const shown = await run('show', bad);
  expect(shown).toMatchObject({ code: exitCodes.badInput, stderr: expect.stringContaining('is not event number 1') });
});

test('show tells the memory, and what is damaged beside what is whole', async () => {
  const id = await finishedRun('first', 8, 1.25, { peakMemory: 123_000_000 });
  expect((await run('show')).stdout).toMatch(/^memory +2.00 GB planned, 123 MB at most$/m);
  writeFileSync(join(folder, 'runs', id, 'checkpoints', 'checkpoint-4', 'COMPLETE'), '{}');
  writeFileSync(join(folder, 'runs', id, 'lock.json'), '[');
  const { code, stdout, stderr } = await run('show');
  expect(code).toBe(exitCodes.done);
  expect(stdout).toMatch(/^state +finished$/m);
  expect(stderr).toMatch(/checkpoint-4.COMPLETE[^]*lock.json/);
});

test('compare --steps sets every step side by side', async () => {
  const first = await finishedRun('first', 8, 1.25, { recorded: [2, 4] });
  const second = await finishedRun('second', 8, 1.5);
  const { stdout } = await run('compare', first, second, '--steps');
  expect(stdout).toMatch(/^ +1 +1.5$/m);
  expect(stdout).toMatch(/^ +2 +1.25 +1.5 +0.25$/m);
});

test('rm moves what is named into the trash, from where it is restored; --for-good frees the disk', async () => {
  const [first, second] = [await finishedRun('first', 8, 1), await finishedRun('second', 8, 1)];
  const there = () => readdirSync(join(folder, 'runs')).filter((name) => !name.startsWith('.'));
  const wrong = await run('rm', first, 'nothing');
  expect(wrong).toMatchObject({ code: exitCodes.badInput, stderr: expect.stringContaining('there is no run') });
  expect(there().sort()).toEqual([first, second].sort());
  const before = await run('show', first, '--json');
  expect(await run('rm', first)).toMatchObject({
    stdout: expect.stringMatching(/^removed .*first, /),
    stderr: expect.stringContaining('anneal runs restore'),
  });
  expect(there()).toEqual([second]);
  expect((await run('restore')).stdout).toContain(first);
  expect((await run('restore', 'nothing')).code).toBe(exitCodes.badInput);
  expect((await run('restore', 'first')).stdout).toBe(`${first} is back\n`);
  expect((await run('show', first, '--json')).stdout).toBe(before.stdout);
  expect(readdirSync(join(folder, 'runs')).sort()).toEqual([first, second].sort());
  await run('rm', first, '--for-good');
  expect(there()).toEqual([second]);
  expect((await run('restore')).stdout).toBe('the trash is empty\n');
  const path = await detachedRun('forever');
  expect((await run('rm', path)).stderr).toContain('stop it first');
  await run('stop', path);
});

test('a name with control characters cannot play with the terminal', async () => {
  const id = await finishedRun('first', 8, 1.25);
  const evil = `${id}\u001b]0;title\u0007\u001b[2J\u202e\u009b`;
  renameSync(join(folder, 'runs', id), join(folder, 'runs', evil));
  appendFileSync(join(folder, 'runs', evil, 'run.log'), '\u001b[31mred\r\n');
  const outputs = [await run('ls'), await run('ls', '--json'), await run('show'), await run('logs', '--output')];
  for (const { code, stdout, stderr } of outputs) {
    expect(code).toBe(exitCodes.done);
    expect(stdout + stderr).not.toMatch(/(?![\n\t])[\p{Cc}\u202e]/u);
  }
  expect(outputs[0]?.stdout).toContain('␛]0;title␇␛[2J');
  expect((JSON.parse(outputs[1]?.stdout ?? '') as { path: string }[])[0]?.path).toContain(evil);
  expect(outputs[3]?.stdout).toBe('␛[31mred\n');
});

/** `$1 $2` is the command line. */
function shell(command: string) {
  return spawnSync('bash', ['-c', command, 'bash', process.execPath, annealPath], { cwd: folder, encoding: 'utf8' });
}

test('output that nobody takes ends with a line and the right code', async () => {
  for (let number = 0; number < 3; number++) await finishedRun('first', 8, 1.25);
  const full = shell('"$1" "$2" runs ls > /dev/full');
  expect(full).toMatchObject({ status: exitCodes.failed, stderr: expect.stringContaining('the disk is full') });
  expect(full.stderr.trimEnd().split('\n')).toHaveLength(2);
  const closed = shell('"$1" "$2" runs logs --json | true; echo "${PIPESTATUS[0]}"');
  expect(closed).toMatchObject({ stdout: `${exitCodes.done}\n`, stderr: '' });
});

test('a finished run is not resumed', async () => {
  await finishedRun('first', 8, 1.25);
  const { code, stderr } = await run('resume');
  expect(code).toBe(exitCodes.badInput);
  expect(stderr).toContain('nothing left to continue');
  expect(stderr).toContain('--set max_steps=');
});
