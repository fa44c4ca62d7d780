import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exitCodes } from '../src/exitCodes.ts';
import { annealIn, temporaryFolder } from './helpers/anneal.ts';

test('copies the starter: a model, rows and a recipe that train as they are', async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder);
  expect((await anneal('init', 'project')).code).toBe(exitCodes.done);
  const project = annealIn(join(folder, 'project'));
  expect((await project('train', 'recipe.yaml', '--set', 'max_steps=2')).stdout).toMatch(/^finished after step 2/m);
  expect((await project('init')).stderr).toMatch(/recipe.yaml is there already/);
});

test('for a model and rows writes a valid recipe, and never over another', async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder);
  writeFileSync(
    join(folder, 'rows.jsonl'),
    '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n',
  );
  expect((await anneal('init', 'project', '--model', 'smollm2-135m', '--data', 'rows.jsonl')).code).toBe(
    exitCodes.done,
  );
  expect(readFileSync(join(folder, 'project', 'recipe.yaml'), 'utf8')).toContain('path: "../rows.jsonl"');
  const validated = await anneal('validate', 'project/recipe.yaml', '--json');
  expect(JSON.parse(validated.stdout)).toMatchObject({ valid: true, recipe: { base_model: 'smollm2-135m' } });

  const again = await anneal('init', 'project', '--data', 'rows.jsonl');
  expect(again.code).toBe(exitCodes.badInput);
  expect(again.stderr).toMatch(/recipe.yaml is there already/);
});

test('begins as a preset, which needs texts of one’s own where the starter has none', async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder);
  expect((await anneal('init', 'full', '--preset', 'full')).code).toBe(exitCodes.done);
  expect(readFileSync(join(folder, 'full', 'recipe.yaml'), 'utf8')).toContain('\nadapter: null\n');
  const refused = await anneal('init', 'texts', '--preset', 'continued');
  expect([refused.code, refused.stderr]).toEqual([exitCodes.badInput, expect.stringMatching(/needs texts of yours/)]);
  expect((await anneal('init', 'pairs', '--preset', 'dpo')).stderr).toMatch(/needs pairs of yours/);
  const both = await anneal('init', 'both', '--preset', 'full', '--from', 'axolotl.yaml');
  expect([both.code, both.stderr]).toEqual([exitCodes.badInput, expect.stringMatching(/cannot be used with/)]);
});

test('translates an Axolotl recipe and says what became of each key', async () => {
  const folder = temporaryFolder();
  const anneal = annealIn(folder);
  writeFileSync(
    join(folder, 'axolotl.yaml'),
    'base_model: HuggingFaceTB/SmolLM2-135M-Instruct\nadapter: lora\nlora_r: 8\nlora_alpha: 16\nlora_target_linear: true\nwandb_project: mine\ndatasets:\n  - path: rows.jsonl\n    type: alpaca\n',
  );
  const { code, stdout } = await anneal('init', 'project', '--from', 'axolotl.yaml');
  expect(code).toBe(exitCodes.done);
  expect(stdout).toMatch(/^lora_r +lora_r: 8/m);
  expect(stdout).toMatch(/^wandb_project +/m);
  expect(existsSync(join(folder, 'project', 'recipe.yaml'))).toBe(true);
});
