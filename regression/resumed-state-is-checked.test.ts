/**
 * A run went on from whatever lay there: one bit flipped in a token, in the optimizer's moments or in the step and epoch of a
 * checkpoint gave another training without a word, and so did a model whose time had been set back.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Recipe } from '../packages/core/src/recipe/schema.ts';
import { RunDirectory } from '../packages/core/src/trainer/runDirectory.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';
import { continueHere, createRun, tinyRecipe } from '../packages/core/test/runs.ts';

async function stoppedRun(changes: Partial<Recipe> = {}): Promise<{ path: string; recipe: Recipe }> {
  const recipe = tinyRecipe(temporaryFolder(), { max_steps: 12, saves_per_epoch: 0, ...changes });
  await using run = await createRun(recipe);
  await continueHere(run, {
    signal: {
      get stopRequested() {
        return run.status.step >= 3;
      },
      saveRequested: false,
    },
  });
  return { path: run.path, recipe };
}

/** Content of every file below, by path. */
function contents(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((entry) => join(entry.parentPath, entry.name)).sort();
  return Object.fromEntries(paths.map((path) => [path, createHash('sha256').update(readFileSync(path)).digest('hex')]));
}

function flip(path: string, byte: (length: number) => number): void {
  const bytes = readFileSync(path);
  const at = byte(bytes.length);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(path, bytes);
}

function replace(path: string, from: RegExp, to: string): void {
  const text = readFileSync(path, 'utf8');
  expect(text).toMatch(from);
  writeFileSync(path, text.replace(from, to));
}

const checkpoint = 'checkpoints/checkpoint-3';

test.each<[what: string, code: string, change: (path: string) => void]>([
  ['a token', 'token_cache_damaged', (path) => flip(join(path, 'data/tokens.bin'), () => 4)],
  [
    'a number of the manifest',
    'token_cache_damaged',
    (path) => replace(join(path, 'data/manifest.json'), /"tokens":\d/, '"tokens":9'),
  ],
  [
    'a bit of the optimizer',
    'checkpoint_damaged',
    (path) => flip(join(path, checkpoint, 'optimizer.safetensors'), (length) => length - 5),
  ],
  [
    'a bit of the adapter',
    'checkpoint_damaged',
    (path) => flip(join(path, checkpoint, 'adapter_model.safetensors'), (length) => length - 5),
  ],
  [
    'the step',
    'checkpoint_damaged',
    (path) => replace(join(path, checkpoint, 'trainer_state.json'), /"step": 3/, '"step": 2'),
  ],
  [
    'the epoch',
    'checkpoint_damaged',
    (path) => replace(join(path, checkpoint, 'trainer_state.json'), /"epoch": 0/, '"epoch": 1'),
  ],
  [
    'the position in the data',
    'checkpoint_damaged',
    (path) => replace(join(path, checkpoint, 'data_state.json'), /"index": 3/, '"index": 1'),
  ],
  [
    'the list of what was saved',
    'checkpoint_damaged',
    (path) => replace(join(path, checkpoint, 'COMPLETE'), /"step": 3/, '"step": 3,\n "metric": 1'),
  ],
  [
    'the recipe',
    'run_recipe_changed',
    (path) => replace(join(path, 'recipe.resolved.yaml'), /"learning_rate":0.01/, '"learning_rate":0.02'),
  ],
  ['lock.json', 'run_file_damaged', (path) => writeFileSync(join(path, 'lock.json'), '{}')],
])('%s that changed is noticed, and the refusal changes nothing', async (_, code, change) => {
  const { path } = await stoppedRun();
  change(path);
  const before = contents(path);
  const resumed = async () => {
    await using run = await RunDirectory.open(path);
    await continueHere(run);
  };
  await expect(resumed()).rejects.toMatchObject({ name: 'UserError', code });
  expect(contents(path)).toEqual(before);
});

test.each(['model', 'data'] as const)('a %s of the same size and time but other bytes is noticed', async (what) => {
  const { path, recipe } = await stoppedRun();
  const file = what === 'model' ? join(recipe.base_model, 'model.safetensors') : (recipe.datasets[0]?.path ?? '');
  const { atime, mtime } = statSync(file);
  if (what === 'model') flip(file, (length) => length - 2);
  else replace(file, /ant/, 'tan');
  utimesSync(file, atime, mtime);
  const before = contents(path);
  const run = await RunDirectory.open(path);
  await expect(continueHere(run)).rejects.toMatchObject({
    code: 'run_inputs_changed',
    what: expect.stringContaining(what),
  });
  await run.close();
  expect(contents(path)).toEqual(before);
});
