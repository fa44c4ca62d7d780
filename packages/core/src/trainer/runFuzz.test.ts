/** Any bytes in any file of a run: it is read, opened or refused by a UserError, and the runs beside it are listed as before. */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { UserError } from '../errors.ts';
import { random } from '../random.ts';
import { surveyCheckpoints } from './checkpointStore.ts';
import { readEvents } from './eventReader.ts';
import { RunDirectory } from './runDirectory.ts';
import { readPinned } from './runHashes.ts';
import { listRuns, readRun } from './runReader.ts';

/** FUZZ_RUNS=100000 tries that many. */
const rounds = Number(process.env['FUZZ_RUNS'] ?? 300);
const seed = Number(process.env['FUZZ_SEED'] ?? 8);

const targets = [
  'status.json',
  'events.jsonl',
  'run.lock',
  'run.lock.takeover',
  'lock.json',
  'recipe.resolved.yaml',
  'samples.jsonl',
  'checkpoints/checkpoint-1/COMPLETE',
  'checkpoints/checkpoint-1/trainer_state.json',
] as const;

let root: string;
let whole: string;
let good: string;

beforeAll(async () => {
  root = temporaryFolder('fuzz');
  const run = await RunDirectory.create({ root, name: 'whole', recipeText: 'a: 1\n', resolvedText: 'a: 1\n' });
  run.pin({ model: 'a', data: 'b', template: 'c', tokenizer: 'd' });
  run.recordStart({ totalSteps: 2, fromStep: 0 });
  run.record({ type: 'sample', step: 0, prompt: 'a', text: 'b' });
  await run.saveCheckpoint(1, async (folder) => writeFileSync(join(folder, 'trainer_state.json'), '{"step":1}'), {
    metric: 1,
  });
  const lock = readFileSync(join(run.path, 'run.lock'));
  await run.close();
  for (const name of ['run.lock', 'run.lock.takeover']) {
    writeFileSync(join(run.path, name), String(lock).replace(/"processStart":"\d+"/, '"processStart":"1"'));
  }
  good = await (async () => {
    const other = await RunDirectory.create({ root, name: 'good', recipeText: 'a', resolvedText: 'a' });
    await other.close();
    return other.path;
  })();
  whole = temporaryFolder('fuzz-whole');
  cpSync(run.path, whole, { recursive: true });
  rmSync(run.path, { recursive: true });
});

test(`${rounds} damaged runs`, { timeout: Math.max(3_600_000, 500 * rounds) }, async () => {
  const { uint32 } = random('run fuzz', seed);
  const below = (bound: number) => uint32() % bound;
  const refused: Record<string, number> = {};
  for (let round = 0; round < rounds; round++) {
    const bad = join(root, 'bad');
    cpSync(whole, bad, { recursive: true });
    const target = targets[below(targets.length)] ?? targets[0];
    const change = damage(join(bad, target), below);
    const what = `round ${round}: ${change} in ${target}`;
    for (const action of [
      () => readRun(bad),
      () => [...readEvents(join(bad, 'events.jsonl'))],
      () => readPinned(bad),
      () => surveyCheckpoints(join(bad, 'checkpoints')),
      async () => {
        const run = await RunDirectory.open(bad);
        await run.checkpoints().finally(() => run.close());
      },
    ]) {
      try {
        await action();
      } catch (error) {
        expect(error, what).toBeInstanceOf(UserError);
        const { code } = error as UserError;
        refused[code] = (refused[code] ?? 0) + 1;
      }
    }
    expect(await listRuns(root), what).toContain(good);
    expect(readRun(good), what).toMatchObject({ state: 'created' });
    rmSync(bad, { recursive: true });
  }
  // What is damaged is found: a fuzzer whose changes do nothing would pass as well.
  expect(Object.keys(refused)).toEqual(
    expect.arrayContaining(['event_log_damaged', 'run_recipe_changed', 'run_file_damaged', 'checkpoint_damaged']),
  );
});

const values = [null, -1, 0, 1, 2 ** 53, 1e300, '', 'x', '\u001b[2J', '../..', [], {}, true, { __proto__: null }];

/** Changes one file in one way, and says in which. */
function damage(path: string, below: (bound: number) => number): string {
  const bytes = readFileSync(path);
  const at = below(bytes.length + 1);
  const kinds: Record<string, () => void> = {
    'a flipped bit': () => {
      bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
      writeFileSync(path, bytes);
    },
    'a cut': () => writeFileSync(path, bytes.subarray(0, at)),
    noise: () => writeFileSync(path, Buffer.from(Array.from({ length: 1 + below(64) }, () => below(256)))),
    'noise inside': () =>
      writeFileSync(
        path,
        Buffer.concat([bytes.subarray(0, at), Buffer.alloc(below(9), below(256)), bytes.subarray(at)]),
      ),
    'a part twice': () => writeFileSync(path, Buffer.concat([bytes, bytes.subarray(at)])),
    nothing: () => writeFileSync(path, ''),
    'deep nesting': () => writeFileSync(path, `${'['.repeat(100_000)}\n`),
    'another value': () => writeFileSync(path, otherValue(bytes.toString(), below)),
    'a folder': () => {
      unlinkSync(path);
      mkdirSync(path);
    },
    'a link': () => {
      unlinkSync(path);
      symlinkSync(good, path);
    },
    'no file': () => unlinkSync(path),
  };
  const names = Object.keys(kinds);
  const name = names[below(names.length)] ?? '';
  kinds[name]?.();
  return name;
}

/** In one line of JSON one key has another value. */
function otherValue(text: string, below: (bound: number) => number): string {
  const lines = text.split('\n');
  const line = below(lines.length);
  try {
    const object = JSON.parse(lines.length > 3 && lines[0] !== '{' ? (lines[line] ?? '') : text) as Record<
      string,
      unknown
    >;
    const keys = Object.keys(object);
    const changed = JSON.stringify({ ...object, [keys[below(keys.length)] ?? 'x']: values[below(values.length)] });
    if (lines[0] === '{' || lines.length <= 3) return `${changed}\n`;
    lines[line] = changed;
    return lines.join('\n');
  } catch {
    return `${JSON.stringify(values[below(values.length)])}\n`;
  }
}
