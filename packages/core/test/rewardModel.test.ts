/** Reward models from training to export; that scores and losses are TRL's is verified over the golden values. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { checkGgufExport } from '../src/export/ggufLimits.ts';
import { exportLora } from '../src/export/lora.ts';
import { exportMerged } from '../src/export/merged.ts';
import { openAnswerer } from '../src/generate/answerer.ts';
import { loadLoraWeights } from '../src/models/adapters/loadLora.ts';
import { openModel } from '../src/models/open.ts';
import { withScoreHead } from '../src/models/scoreHead.ts';
import type { Recipe } from '../src/recipe/schema.ts';
import { goldenModel, temporaryFolder } from './fixtures.ts';
import { eventsOf, tinyRecipe, trainHere } from './runs.ts';

const words = ['ant', 'bee', 'cat', 'dog', 'eel', 'fox', 'gnu', 'hen', 'ibis', 'jay', 'kite', 'lynx'];

/** Capitals are preferred. */
function recipeFor(changes: Partial<Recipe> = {}): Recipe {
  const folder = temporaryFolder();
  const path = join(folder, 'pairs.jsonl');
  const rows = words.map((word, i) => ({
    prompt: word,
    chosen: word.toUpperCase(),
    rejected: `${word} ${words[(i + 5) % words.length]}`,
  }));
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  const datasets = [{ path }];
  return tinyRecipe(folder, { rl: 'reward', datasets, val_set_size: 3, eval_steps: 8, max_steps: 16, ...changes });
}

test('an adapter learns which answer is preferred, and is exported with its head', async () => {
  const recipe = recipeFor({ center_rewards_coefficient: 0.01 });
  const run = await trainHere(recipe);
  const last = eventsOf(run, 'evaluated').at(-1);
  expect(last).toMatchObject({ rewardAccuracy: 1, logpChosen: null });
  expect(last?.loss).toBeLessThan(eventsOf(run, 'step')[0]?.loss as number);

  const checkpoint = join(run.path, 'checkpoints', 'checkpoint-16');
  const base = openModel(recipe.base_model);
  const model = withScoreHead(base);
  const adapter = await loadLoraWeights(checkpoint, model);
  expect([...adapter.full.keys()]).toEqual(['score']);
  await expect(loadLoraWeights(checkpoint, base)).rejects.toMatchObject({ code: 'reward_model' });

  const folder = temporaryFolder();
  const options = { model, adapter, dropout: 0, baseModel: recipe.base_model };
  await exportLora(join(folder, 'lora'), options);
  await exportMerged(join(folder, 'merged'), { model, adapter, dtype: 'F32' });
  expect(() => checkGgufExport(model)).toThrow('no head of scores');
  const merged = openModel(join(folder, 'merged'));
  expect(merged.configJson).toMatchObject({
    architectures: [model.architecture.classificationClass],
    id2label: { 0: 'LABEL_0' },
  });
  expect(merged.tensors.get('score')?.float32()).toEqual(adapter.full.get('score'));
  expect(merged.tensors.has('lm_head')).toBe(false);
  merged.close();
  base.close();

  const answering = openAnswerer({ modelPath: join(folder, 'merged'), weightType: 'f32', contextLength: 32 });
  await expect(answering).rejects.toMatchObject({ code: 'reward_model' });
  const imitating = trainHere(tinyRecipe(folder, { base_model: join(folder, 'merged') }));
  await expect(imitating).rejects.toMatchObject({ code: 'reward_model' });
  const again = await trainHere(recipeFor({ base_model: join(folder, 'merged'), max_steps: 8 }));
  expect(eventsOf(again, 'step')[0]?.rewardAccuracy).toBe(1);
});

test('margins of the rows are what the scores are to differ by', async () => {
  const recipe = recipeFor({ max_steps: 6, val_set_size: 0 });
  const [{ path }] = recipe.datasets as [{ path: string }];
  const rows = readFileSync(path, 'utf8')
    .trim()
    .split('\n')
    .map((line, i) => ({ ...JSON.parse(line), margin: i % 2 === 0 ? 50 : 90 }));
  writeFileSync(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  // Far beyond what any score is: each row's loss is its margin less the difference of its scores, and a step of four has two of each.
  const [first] = eventsOf(
    await trainHere({ ...recipe, shuffle: false, datasets: [{ path, field_margin: 'margin' }] }),
    'step',
  );
  expect(first?.loss).toBeCloseTo(70 - (first?.rewardMargin ?? Number.NaN), 3);
  const [without] = eventsOf(await trainHere({ ...recipe, shuffle: false }), 'step');
  expect(without?.rewardMargin).toBe(first?.rewardMargin);
  expect(without?.loss).toBeLessThan(10);
});

test('every weight can be trained, with packing', async () => {
  const run = await trainHere(recipeFor({ adapter: null, sample_packing: true, learning_rate: 0.002 }));
  expect(eventsOf(run, 'evaluated').at(-1)?.rewardAccuracy).toBe(1);
  const trained = openModel(join(run.path, 'checkpoints', 'checkpoint-16'));
  expect(trained.config.scoreHead).toBe(true);
  trained.close();
});

test('a base whose reward model nothing would load is refused', () => {
  expect(() => withScoreHead(goldenModel('granite'))).toThrow('no sequence classification with granite');
});
