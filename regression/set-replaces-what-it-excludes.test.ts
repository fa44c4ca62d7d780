/** `--set save_steps=50` on a recipe with `saves_per_epoch` was refused: both were written, said the error, and nobody had written both. */
import { expect, test } from 'vitest';
import { checkRecipe, parseRecipe } from '../packages/core/src/recipe/read.ts';
import { resolveRecipe } from '../packages/core/src/recipe/resolve.ts';
import { toYaml } from '../packages/core/src/recipe/toYaml.ts';

const base = 'base_model: smollm2-135m\ndatasets:\n  - {path: rows.jsonl}\n';
const there = { baseDirectory: '/', exists: () => true };

test.each([
  ['saves_per_epoch: 2', 'save_steps=50', { save_steps: 50, saves_per_epoch: null }],
  ['save_steps: 50', 'saves_per_epoch=2', { save_steps: null, saves_per_epoch: 2 }],
  ['evals_per_epoch: 2', 'eval_steps=50', { eval_steps: 50, evals_per_epoch: null }],
  ['warmup_ratio: 0.1', 'warmup_steps=5', { warmup_steps: 5, warmup_ratio: null }],
  ['max_steps: 10', 'num_epochs=3', { max_steps: null, num_epochs: 3 }],
  ['num_epochs: 3', 'max_steps=10', { max_steps: 10, num_epochs: null }],
])('%s with --set %s', (line, override, expected) => {
  const { recipe, text } = parseRecipe(`${base}${line}\n`, 'recipe.yaml', [override]);
  const resolved = resolveRecipe(recipe, there);
  expect(resolved).toMatchObject(expected);
  // What was recorded as written, and what is resolved, say the same.
  expect(resolveRecipe(parseRecipe(text, 'recipe.yaml').recipe, there)).toEqual(resolved);
  const before = toYaml(resolveRecipe(parseRecipe(`${base}${line}\n`, 'recipe.yaml').recipe, there));
  expect(resolveRecipe(parseRecipe(before, 'recipe.yaml', [override]).recipe, there)).toEqual(resolved);
});

test('two that exclude each other on the command line are a mistake', () => {
  const checked = checkRecipe(base, 'recipe.yaml', ['save_steps=5', 'saves_per_epoch=2']);
  expect(checked).toMatchObject({ ok: false, problems: [{ code: 'impossible_combination' }] });
});
