/** Any bytes in any file of a run: it is read, opened or refused by a UserError, and the runs beside it are listed as before. */
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { temporaryFolder } from '../../../../scripts/testing/temporaryFolder.ts';
import { type Choices, fuzz } from '../../test/fuzz.ts';
import { UserError } from '../errors.ts';
import { surveyCheckpoints } from './checkpointStore.ts';
import { readEvents } from './eventReader.ts';
import { RunDirectory } from './runDirectory.ts';
import { readPinned } from './runHashes.ts';
import { listRuns, readRun } from './runReader.ts';

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

/** What is damaged is found: a fuzzer whose changes do nothing would pass as well. */
const refusals = {
  event_log_damaged: 0.01,
  run_recipe_changed: 0.03,
  run_file_damaged: 0.03,
  checkpoint_damaged: 0.03,
};

test('damaged runs', { timeout: 36_000_000 }, async () => {
  await fuzz('damaged runs', 300, refusals, async (choose) => {
    const bad = join(root, 'bad');
    rmSync(bad, { recursive: true, force: true });
    cpSync(whole, bad, { recursive: true });
    const target = choose.of(targets);
    const what = `${damage(join(bad, target), choose)} in ${target}`;
    let refused: UserError | undefined;
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
        refused ??= error as UserError;
      }
    }
    expect(await listRuns(root), what).toContain(good);
    expect(readRun(good), what).toMatchObject({ state: 'created' });
    if (refused) throw refused;
  });
});

const values = [null, -1, 0, 1, 2 ** 53, 1e300, '', 'x', '\u001b[2J', '../..', [], {}, true, { __proto__: null }];

/** Changes one file in one way, and says in which. */
function damage(path: string, { below, of }: Choices): string {
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
    'another value': () => writeFileSync(path, otherValue(bytes.toString(), { below, of })),
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
  const name = of(Object.keys(kinds));
  kinds[name]?.();
  return name;
}

/** In one line of JSON one key has another value. */
function otherValue(text: string, { below, of }: Choices): string {
  const lines = text.split('\n');
  const line = below(lines.length);
  try {
    const object = JSON.parse(lines.length > 3 && lines[0] !== '{' ? (lines[line] ?? '') : text) as Record<
      string,
      unknown
    >;
    const keys = Object.keys(object);
    const changed = JSON.stringify({ ...object, [keys.length > 0 ? of(keys) : 'x']: of(values) });
    if (lines[0] === '{' || lines.length <= 3) return `${changed}\n`;
    lines[line] = changed;
    return lines.join('\n');
  } catch {
    return `${JSON.stringify(of(values))}\n`;
  }
}
