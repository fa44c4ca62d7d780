/**
 * `estimate` and `train --dry-run` printed the bytes of a run that could never start and ended with 0; `init` and `validate`
 * called recipes good whose rows were not there or could not be read, and whose model nobody knows.
 */
import { cpSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { misfit } from '@anneal/core/trainer/fit';
import { expect, test } from 'vitest';
import { annealIn, temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';
import { writeCapitalsTask, writeTinyModel } from '../packages/core/test/fixtures.ts';

const recipe = 'base_model: ./tiny-smollm2\ndatasets: [{path: rows.jsonl}]\nsequence_len: 64\n';

function project() {
  const folder = temporaryFolder();
  writeTinyModel(folder);
  writeCapitalsTask(folder);
  writeFileSync(join(folder, 'recipe.yaml'), recipe);
  return { folder, anneal: annealIn(folder) };
}

test('a run that fits says so, with its disk', async () => {
  const { anneal } = project();
  const { code, stdout } = await anneal('estimate', 'recipe.yaml');
  expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringMatching(/^memory .* needed, .* free$/m) });
  expect(stdout).toMatch(/^disk .*checkpoints: 1 × .* free$/m);
  expect(stdout).toMatch(/^it fits$/m);
});

test.each([
  ['estimate', 'recipe.yaml'],
  ['train', 'recipe.yaml', '--dry-run'],
])('%s fails for one that does not', async (...verb) => {
  const { anneal } = project();
  const tooMuch = ['--set', 'sequence_len=1000000', '--set', 'micro_batch_size=64'];
  const { code, stderr } = await anneal(...verb, ...tooMuch);
  expect(code).toBe(2);
  expect(stderr).toMatch(/does not fit: it needs .* of memory, .* are free/);
  const json = await anneal(...verb, ...tooMuch, '--json');
  expect(json.code).toBe(2);
  expect(JSON.parse(json.stdout)).toMatchObject({ error: { code: 'out_of_memory' }, fit: { memory: {} } });
});

test('a disk that is too small is an error of its own', () => {
  const memory = { needed: 1, available: 2 };
  const disk = { needed: 3e9, available: 2e9, folder: '/runs', checkpoint: 1e9, checkpoints: 3 };
  expect(misfit({ memory, host: memory, disk })).toMatchObject({ code: 'disk_full', where: '/runs' });
  expect(misfit({ memory, host: memory, disk: { ...disk, available: 3e9 } })).toBeNull();
  const host = { needed: 3e9, available: 2e9 };
  expect(misfit({ memory, host, disk })).toMatchObject({
    code: 'out_of_memory',
    what: expect.stringContaining("3.000 GB of the host's memory"),
  });
});

test.each([
  ['recipe.yaml', 'something that is no folder has this name'],
  ['recipe.yaml/runs', 'something that is no folder stands above this one'],
])('a run that could not be kept in %s does not fit either', async (place, what) => {
  const { anneal } = project();
  for (const verb of [['estimate'], ['train', '--dry-run'], ['train']]) {
    const { code, stderr } = await anneal(...verb, 'recipe.yaml', '--set', `output_dir=${place}`);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(what) });
  }
});

test('estimate warns of what train warns of', async () => {
  const { folder, anneal } = project();
  const pair = { prompt: 'Who?', chosen: 'I.', rejected: 'Nobody.' };
  writeFileSync(join(folder, 'rows.jsonl'), `${JSON.stringify(pair)}\n`.repeat(4));
  const { stdout } = await anneal(
    'estimate',
    'recipe.yaml',
    '--set',
    'datasets.0.type={format: "{instruction}: ", field_instruction: prompt, field_output: chosen}',
  );
  expect(stdout).toMatch(/warning: the data are preference pairs/);
});

test.each([
  ['base_model=gpt-17', /no model folder or \.gguf file 'gpt-17'/],
  ['datasets.0.type=alpaca', /none of the first 24 rows can be read as alpaca.*columns are /],
  ['datasets.0.path=strange.jsonl', /no known format has the fields alpha, beta/],
  ['datasets.0.path=notes.docx', /files of the kind '.docx' cannot be read/],
])('validate notices %s', async (setting, message) => {
  const { folder, anneal } = project();
  writeFileSync(join(folder, 'strange.jsonl'), '{"alpha": 1, "beta": 2}\n');
  writeFileSync(join(folder, 'notes.docx'), 'x');
  const { code, stderr } = await anneal('validate', 'recipe.yaml', '--set', setting);
  expect(code).toBe(2);
  expect(stderr).toMatch(message);
  expect((await anneal('validate', 'recipe.yaml')).code).toBe(0);
});

test('init writes nothing for rows or a model that are not there, and says what is left to do', async () => {
  const { folder, anneal } = project();
  expect(await anneal('init', 'p', '--data', 'none.jsonl')).toMatchObject({ code: 2, stdout: '' });
  expect(await anneal('init', 'p', '--model', 'gpt-17', '--data', 'rows.jsonl')).toMatchObject({ code: 2, stdout: '' });
  cpSync(join(folder, 'tiny-smollm2'), join(folder, 'broken'), { recursive: true });
  truncateSync(join(folder, 'broken', 'model.safetensors'), 1000);
  expect(await anneal('init', 'p', '--model', 'broken', '--data', 'rows.jsonl')).toMatchObject({ code: 2, stdout: '' });
  writeFileSync(join(folder, 'strange.jsonl'), '{"alpha": 1, "beta": 2}\n');
  const { code, stdout } = await anneal('init', 'p', '--model', 'tiny-smollm2', '--data', 'strange.jsonl');
  expect(code).toBe(0);
  expect(stdout).toMatch(/to complete by hand: no known format has the fields alpha, beta/);
});

test('a small need is said in the unit it has, not as 0.01 GB', () => {
  const memory = { needed: 1, available: 2 };
  const disk = { needed: 13.1e6, available: 8.39e6, folder: '/runs', checkpoint: 2.61e6, checkpoints: 5 };
  expect(misfit({ memory, host: memory, disk })?.what).toContain('13.10 MB of disk, 8.390 MB are free');
});
