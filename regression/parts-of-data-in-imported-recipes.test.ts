/**
 * Recipes of other trainers that train a part of a file were translated to ones that train all of it: a slice `train[:10%]` of one file,
 * `split` and `num_samples` of dataset_info.json, and subset and split of a hub's data in stage `pt`, without a word.
 * So were a shard of all data in Axolotl, and held-out rows that LLaMA-Factory's `max_samples` cuts as it does those that are trained.
 */
import { expect, test } from 'vitest';
import { importRecipe } from '../packages/core/src/recipe/import/index.ts';

const axolotl = 'base_model: HuggingFaceTB/SmolLM2-135M\nadapter: lora\nsequence_len: 512\n';

test.each([
  ['{path: rows.jsonl, type: alpaca, split: "train[:10%]"}'],
  ['{path: org/set, type: alpaca, split: "train[:100]"}'],
  ['{path: org/set, data_files: [a.json], type: alpaca, split: train+test}'],
])('Axolotl: %s', (entry) => {
  const { untranslated } = importRecipe(`${axolotl}datasets:\n  - ${entry}\n`, 'axolotl.yaml');
  expect(untranslated).toContainEqual(expect.objectContaining({ key: 'datasets.0.split' }));
});

test('a split by its name says nothing of one file', () => {
  const recipe = `${axolotl}datasets:\n  - {path: rows.jsonl, type: alpaca, split: train}\n`;
  expect(importRecipe(recipe, 'axolotl.yaml').untranslated).toEqual([]);
});

const factory = (more: string) =>
  `model_name_or_path: HuggingFaceTB/SmolLM2-135M\ndataset: mine\nfinetuning_type: lora\ntemplate: qwen\n${more}\n`;

test.each([
  ['stage: sft', { file_name: 'rows.json', num_samples: 500 }, { max_samples: 500 }],
  ['stage: sft\nmax_samples: 100', { file_name: 'rows.json', num_samples: 500 }, { max_samples: 100 }],
  ['stage: sft\nmax_samples: 900', { file_name: 'rows.json', num_samples: 500 }, { max_samples: 500 }],
  [
    'stage: pt',
    { hf_hub_url: 'org/set', subset: 'en', split: 'test' },
    { name: 'en', split: 'test', type: 'completion' },
  ],
])('LLaMA-Factory: %s, %j', (more, entry, dataset) => {
  const { recipe } = importRecipe(factory(more), 'factory.yaml', { mine: entry });
  expect(recipe.datasets?.[0]).toMatchObject(dataset);
});

test('LLaMA-Factory: a slice of a file is said', () => {
  const { translated } = importRecipe(factory('stage: sft'), 'factory.yaml', {
    mine: { file_name: 'rows.json', split: 'train[:50]' },
  });
  expect(translated.find(({ from }) => from === 'dataset')?.note).toContain('not train[:50]');
});

test('LLaMA-Factory: max_samples is of held-out rows, too', () => {
  const { recipe } = importRecipe(factory('stage: sft\neval_dataset: few, many\nmax_samples: 100'), 'factory.yaml', {
    few: { file_name: 'few.json', num_samples: 50 },
    many: { file_name: 'many.json' },
  });
  expect(recipe.test_datasets?.map(({ max_samples: most }) => most)).toEqual([50, 100]);
});

test('Axolotl: a shard of all data is said', () => {
  const recipe = `${axolotl}datasets:\n  - {path: rows.jsonl, type: alpaca}\ndataset_shard_num: 4\ndataset_shard_idx: 0\n`;
  const { untranslated } = importRecipe(recipe, 'axolotl.yaml');
  expect(untranslated).toContainEqual(expect.objectContaining({ key: 'dataset_shard_num' }));
});
