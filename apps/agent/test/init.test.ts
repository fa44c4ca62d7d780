import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { exitCodes } from '../src/exitCodes.ts';

const anneal = join(import.meta.dirname, '..', 'bin', 'anneal.mjs');
const { FORCE_COLOR: _, ...env } = process.env;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'anneal-init-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function run(...args: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [anneal, ...args], { cwd: folder, env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

test('for a model and rows writes a valid recipe, and never over another', async () => {
  writeFileSync(
    join(folder, 'rows.jsonl'),
    '{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n',
  );
  expect((await run('init', 'project', '--model', 'smollm2-135m', '--data', 'rows.jsonl')).code).toBe(exitCodes.done);
  expect(readFileSync(join(folder, 'project', 'recipe.yaml'), 'utf8')).toContain('path: "../rows.jsonl"');
  const validated = await run('validate', 'project/recipe.yaml', '--json');
  expect(JSON.parse(validated.stdout)).toMatchObject({ valid: true, recipe: { base_model: 'smollm2-135m' } });

  const again = await run('init', 'project', '--data', 'rows.jsonl');
  expect(again.code).toBe(exitCodes.badInput);
  expect(again.stderr).toMatch(/recipe.yaml is there already/);
});

test('translates an Axolotl recipe and says what became of each key', async () => {
  writeFileSync(
    join(folder, 'axolotl.yaml'),
    'base_model: HuggingFaceTB/SmolLM2-135M-Instruct\nadapter: lora\nlora_r: 8\nlora_alpha: 16\nlora_target_linear: true\nwandb_project: mine\ndatasets:\n  - path: rows.jsonl\n    type: alpaca\n',
  );
  const { code, stdout } = await run('init', 'project', '--from', 'axolotl.yaml');
  expect(code).toBe(exitCodes.done);
  expect(stdout).toMatch(/^lora_r +lora_r: 8/m);
  expect(stdout).toMatch(/^wandb_project +/m);
  expect(existsSync(join(folder, 'project', 'recipe.yaml'))).toBe(true);
});
