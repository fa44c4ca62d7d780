/** Other trainers read YAML 1.1, in which `1_024` is a number; an imported recipe held it as a text. */
import { expect, test } from 'vitest';
import { importRecipe } from '../packages/core/src/recipe/import/index.ts';

const head = 'base_model: HuggingFaceTB/SmolLM2-135M\ndatasets:\n  - path: rows.jsonl\n    type: alpaca\n';

test.each([
  ['sequence_len', '1_024', 1024],
  ['sequence_len', '+2_048', 2048],
  ['sequence_len', '0x400', 1024],
  ['sequence_len', '02000', 1024],
  ['sequence_len', '0b1000_0000_000', 1024],
  ['sequence_len', '1024', 1024],
  ['seed', '0', 0],
  ['learning_rate', '0.000_1', 0.0001],
  ['learning_rate', '1.5e-4', 0.00015],
  ['learning_rate', '1e-4', 0.0001],
])('%s: %s', (key, written, value) => {
  const { recipe } = importRecipe(`${head}${key}: ${written}\n`, 'axolotl.yaml');
  expect(recipe).toMatchObject({ [key]: value });
});

test('a text in quotes stays one', () => {
  const { recipe } = importRecipe(`${head}wandb_project: p\noutput_dir: "1_024"\n`, 'axolotl.yaml');
  expect(JSON.stringify(recipe)).not.toContain('1024');
});
