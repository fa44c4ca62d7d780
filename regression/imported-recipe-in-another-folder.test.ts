/** A translated recipe kept relative paths as they were, and they started at its new folder: no file of it was found. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { importRecipeFile } from '../packages/core/src/recipe/import/index.ts';
import { resolveRecipe } from '../packages/core/src/recipe/resolve.ts';
import { temporaryFolder } from '../packages/core/test/fixtures.ts';

test('files of the other recipe are found from ours', async () => {
  const folder = temporaryFolder();
  for (const name of ['model', 'data', 'ours']) mkdirSync(join(folder, name));
  for (const name of ['rows.jsonl', 'held.jsonl']) writeFileSync(join(folder, 'data', name), '{}\n');
  const theirs = join(folder, 'axolotl.yaml');
  writeFileSync(
    theirs,
    'base_model: ./model\ndatasets: [{path: data/rows.jsonl}, {path: owner/elsewhere}]\ntest_datasets: [{path: data/held.jsonl}]\n',
  );
  const target = join(folder, 'ours');
  const { recipe } = await importRecipeFile(theirs, target);
  expect(recipe.base_model).toBe('../model');
  expect(recipe.datasets?.[1]?.path).toBe('owner/elsewhere');
  const resolved = resolveRecipe(
    { ...recipe, base_model: '../model', datasets: recipe.datasets?.slice(0, 1) ?? [] },
    { baseDirectory: target },
  );
  expect(resolved.base_model).toBe(join(folder, 'model'));
  expect(resolved.datasets[0]?.path).toBe(join(folder, 'data', 'rows.jsonl'));
  expect(resolved.test_datasets?.[0]?.path).toBe(join(folder, 'data', 'held.jsonl'));
  expect((await importRecipeFile(theirs, folder)).recipe.base_model).toBe('./model');
});
