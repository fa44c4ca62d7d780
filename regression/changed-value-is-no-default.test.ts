/** After a resume with `--set save_steps=10` the run's resolved recipe read `save_steps: 10 # default`. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { changeRecipe } from '@anneal/core/recipe/change';
import { parseRecipe } from '@anneal/core/recipe/read';
import { resolveRecipe } from '@anneal/core/recipe/resolve';
import { toYaml } from '@anneal/core/recipe/toYaml';
import { expect, test } from 'vitest';
import { temporaryFolder } from '../apps/agent/test/helpers/anneal.ts';

test('what a resume sets is not marked as a default', () => {
  const baseDirectory = temporaryFolder();
  writeFileSync(join(baseDirectory, 'rows.jsonl'), '{"text": "a"}\n');
  const text = 'base_model: org/model\ndatasets: [{path: rows.jsonl}]\nsave_steps: 4\n';
  const { recipe } = parseRecipe(text, 'recipe.yaml');
  const resolved = toYaml(resolveRecipe(recipe, { baseDirectory }), recipe);
  expect(resolved).toContain('logging_steps: 1 # default');

  const overrides = ['logging_steps=5', 'saves_per_epoch=2'];
  const lines = changeRecipe(resolved, 'recipe.resolved.yaml', overrides, baseDirectory).resolvedText.split('\n');
  expect(lines).toContain('logging_steps: 5');
  expect(lines).toContain('saves_per_epoch: 2');
  expect(lines).toContain('save_steps: null');
  expect(lines).toContain('save_total_limit: 3 # default');
});
