/** What was wrong: a recipe that was removed between being found and being read made `runs.recipe` an unexpected error in the agent. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { recipeOfRun } from '../apps/agent/src/daemon/recipes/recipeOfRun.ts';

it('a recipe that is gone is not the one of a run, and hides no other', () => {
  const folder = mkdtempSync(join(tmpdir(), 'anneal-recipes-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const found = ['gone.yaml', 'there.yaml'].map((key) => ({ key, path: join(folder, key), modified: new Date(0) }));
  writeFileSync(join(folder, 'there.yaml'), 'base_model: small\n');
  const run = { path: join(folder, 'runs', 'one'), name: 'other', text: 'base_model: small\n' };
  expect(recipeOfRun({ recipes: () => found }, run)).toBe('there.yaml');
  expect(recipeOfRun({ recipes: () => found }, { ...run, text: 'base_model: large\n' })).toBeNull();
});
