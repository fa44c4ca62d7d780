/** What was wrong: a recipe that was removed between being found and being read made `runs.recipe` an unexpected error in the agent. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { recipeOfRun } from '../apps/agent/src/daemon/recipes/recipeOfRun.ts';
import { temporaryFolder } from '../scripts/testing/temporaryFolder.ts';

it('a recipe that is gone is not the one of a run, and hides no other', () => {
  const folder = temporaryFolder('recipes');
  const found = ['gone.yaml', 'there.yaml'].map((key) => ({ key, path: join(folder, key), modified: new Date(0) }));
  writeFileSync(join(folder, 'there.yaml'), 'base_model: small\n');
  const run = { path: join(folder, 'runs', 'one'), name: 'other', text: 'base_model: small\n' };
  mkdirSync(run.path, { recursive: true });
  writeFileSync(join(run.path, 'events.jsonl'), '');
  expect(recipeOfRun({ recipes: () => found }, run)).toBe('there.yaml');
  expect(recipeOfRun({ recipes: () => found }, { ...run, text: 'base_model: large\n' })).toBeNull();
});
