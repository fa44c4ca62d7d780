/** Jobs that must not start: each says why, and leaves nothing half done. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { UserError } from '../src/errors.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { goldenPath, temporaryFolder, writeCapitalsTask, writeTinyModel } from './fixtures.ts';
import { checkpointPath, continueHere, createRun, tinyRecipe, trainHere } from './runs.ts';

async function refusalOf(recipe: Recipe): Promise<UserError> {
  await using run = await createRun(recipe);
  const error = await continueHere(run).then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toMatchObject({ name: 'UserError', code: expect.any(String), what: expect.any(String) });
  expect(run.events.map(({ type }) => type)).not.toContain('step');
  expect(await run.checkpoints()).toEqual([]);
  return error;
}

test.each([
  { sequence_len: 1_000_000, micro_batch_size: 1000 },
  { sequence_len: 16_777_216, micro_batch_size: 65_536 }, // more bytes than an integer holds
])('more memory than there is: %j', async (changes) => {
  const before = process.memoryUsage.rss();
  const refusal = await refusalOf(tinyRecipe(temporaryFolder(), changes));
  expect(refusal.code).toBe('out_of_memory');
  expect(refusal.what).toMatch(/needs [\d.]+ TB of memory, [\d.]+ GB are free/);
  expect(refusal.next).toContain('sequence_len');
  expect(process.memoryUsage.rss() - before).toBeLessThan(200e6);
});

test('an adapter of another base model', async () => {
  const adapter = join(goldenPath('qwen3'), 'adapter');
  const refusal = await refusalOf(tinyRecipe(temporaryFolder(), { lora_model_dir: adapter }));
  expect(refusal.code).toBe('adapter_of_another_base');
});

test.each(['adafactor', 'muon'] as const)('experts of one matrix by %s', async (optimizer) => {
  const folder = temporaryFolder();
  const full = { adapter: null, lora_r: undefined, lora_alpha: undefined } as const;
  const base_model = writeTinyModel(folder, 'qwen3-moe');
  for (const trained of [full, { lora_target_parameters: ['down_proj'] }]) {
    const refusal = await refusalOf(tinyRecipe(folder, { ...trained, base_model, optimizer }));
    expect(refusal.code).toBe('optimizer_not_for_experts');
  }
});

test('a checkpoint of another recipe', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { max_steps: 2 });
  const first = await trainHere(recipe);
  const changed = { ...recipe, lora_r: 8, resume_from_checkpoint: checkpointPath(first, 2) };
  expect((await refusalOf(changed)).code).toBe('checkpoint_of_another_run');
});

test('a checkpoint of full fine-tuning for an adapter, and the other way round', async () => {
  const recipe = tinyRecipe(temporaryFolder(), { max_steps: 2 });
  const full = { ...recipe, adapter: null, lora_r: undefined, lora_alpha: undefined, learning_rate: 0.001 };
  const ofAdapter = checkpointPath(await trainHere(recipe), 2);
  const ofModel = checkpointPath(await trainHere(full), 2);
  expect((await refusalOf({ ...recipe, resume_from_checkpoint: ofModel })).what).toContain('adapter_config.json');
  expect((await refusalOf({ ...full, resume_from_checkpoint: ofAdapter })).where).toContain('config.json');
});

test('a checkpoint at the end, or of other data', async () => {
  const folder = temporaryFolder();
  const recipe = tinyRecipe(folder, { max_steps: 5, shuffle: false });
  const resumed = { ...recipe, resume_from_checkpoint: checkpointPath(await trainHere(recipe), 5) };
  const atTheEnd = await refusalOf(resumed);
  expect(atTheEnd).toMatchObject({ code: 'checkpoint_of_another_run', next: 'raise max_steps or num_epochs' });
  const fewer = [{ path: writeCapitalsTask(folder, 8, 'fewer.jsonl') }];
  const otherData = await refusalOf({ ...resumed, datasets: fewer, max_steps: 9 });
  expect(otherData.code).toBe('checkpoint_of_another_run');
  expect(otherData.what).toContain('5 steps into an epoch');
});

test('a folder that is no checkpoint', async () => {
  const recipe = tinyRecipe(temporaryFolder());
  const refusal = await refusalOf({ ...recipe, resume_from_checkpoint: join(recipe.base_model, 'adapter') });
  expect(refusal.code).toBe('not_a_checkpoint');
  expect(refusal.next).toContain('lora_model_dir');
});

test('a tokenizer with more tokens than the embedding', async () => {
  const recipe = tinyRecipe(temporaryFolder());
  const path = join(recipe.base_model, 'tokenizer.json');
  const tokenizer = JSON.parse(readFileSync(path, 'utf8'));
  for (let id = Object.keys(tokenizer.model.vocab).length; id < 170; id++) tokenizer.model.vocab[`<${id}>`] = id;
  writeFileSync(path, JSON.stringify(tokenizer));
  const refusal = await refusalOf(recipe);
  expect(refusal.code).toBe('vocabulary_too_large');
  expect(refusal.what).toBe('the tokenizer has tokens up to id 169, the embedding only 160 rows');
});

test('conversations without a chat template', async () => {
  const recipe = tinyRecipe(temporaryFolder());
  writeFileSync(join(recipe.base_model, 'tokenizer_config.json'), JSON.stringify({ eos_token: '<|im_end|>' }));
  expect((await refusalOf(recipe)).code).toBe('template_missing');
});

test('a model without a tokenizer', async () => {
  const folder = temporaryFolder();
  const model = writeTinyModel(folder);
  rmSync(join(model, 'tokenizer.json'));
  expect((await refusalOf(tinyRecipe(folder, { base_model: model }))).code).toBe('tokenizer_missing');
});

test('rows in which nothing is trained', async () => {
  const folder = temporaryFolder();
  const path = join(folder, 'users.jsonl');
  writeFileSync(path, `${JSON.stringify({ messages: [{ role: 'user', content: 'ant' }] })}\n`);
  expect((await refusalOf(tinyRecipe(folder, { datasets: [{ path }] }))).code).toBe('nothing_supervised');
});
