/**
 * An export with a GGUF file wrote adapter and merged model first, for minutes, and then found that GGUF cannot carry the tokenizer. One
 * that no run could read was handed on without a word, and a chat template without a tokenizer was called a defect of ours.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { exportSource } from '../apps/agent/src/service/exports/export.ts';
import { finish } from '../apps/agent/src/service/finish.ts';
import * as merged from '../packages/core/src/export/merged.ts';
import { temporaryFolder, writeTinyModel } from '../packages/core/test/fixtures.ts';

vi.mock(import('../packages/core/src/export/merged.ts'), { spy: true });
afterEach(() => vi.restoreAllMocks());

test('what a GGUF file cannot carry is said before anything is written', async () => {
  const folder = temporaryFolder();
  const path = writeTinyModel(folder); // its words are cut in a way that llama.cpp does not know
  const to = join(folder, 'exported');
  const wanted = finish(exportSource({ runsFolder: folder }, { source: path, merged: 'f32', gguf: ['f16'], to }));
  await expect(wanted).rejects.toMatchObject({ code: 'tokenizer_unknown_to_gguf' });
  expect(existsSync(to)).toBe(false);
  expect(merged.exportMerged).not.toHaveBeenCalled();

  await finish(exportSource({ runsFolder: folder }, { source: path, merged: 'f32', to }));
  expect(merged.exportMerged).toHaveBeenCalledOnce();
});

test('a tokenizer that no run could read is not handed on', async () => {
  const folder = temporaryFolder();
  const path = writeTinyModel(folder);
  const file = join(path, 'tokenizer.json');
  const json = JSON.parse(readFileSync(file, 'utf8'));
  writeFileSync(file, JSON.stringify({ ...json, model: { ...json.model, merges: ['no token'] } }));
  const to = join(folder, 'exported');
  const wanted = finish(exportSource({ runsFolder: folder }, { source: path, merged: 'f32', to }));
  await expect(wanted).rejects.toMatchObject({ code: 'tokenizer_invalid' });
  expect(existsSync(to)).toBe(false);
});

test('a chat template goes with a tokenizer only', async () => {
  const folder = temporaryFolder();
  const path = writeTinyModel(folder);
  rmSync(join(path, 'tokenizer.json'));
  const to = join(folder, 'exported');
  const [gguf] = await finish(exportSource({ runsFolder: folder }, { source: path, gguf: ['f32'], to }));
  expect(gguf?.warnings.join()).toContain('The model has no tokenizer');
});
