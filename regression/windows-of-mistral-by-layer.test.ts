/**
 * `layer_types` of a Mistral config.json, as Ministral 8B has it, was read by nobody: every layer got the window, where transformers
 * gives some none (NMSE of the logits 0.3). A GGUF file of it did so, too. Of Gemma 3 transformers reads `sliding_window_pattern`
 * and not `_sliding_window_pattern`, where both stand.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { exportGguf, ggufFileName } from '../packages/core/src/export/gguf.ts';
import { openModel } from '../packages/core/src/models/open.ts';
import { goldenPath, temporaryFolder } from '../packages/core/test/fixtures.ts';

function opened(name: string, changes: Record<string, unknown>) {
  const folder = temporaryFolder();
  cpSync(goldenPath(name), folder, { recursive: true });
  const path = join(folder, 'config.json');
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
  return openModel(folder);
}

test('Mistral', async () => {
  const changes = { layer_types: ['full_attention', 'sliding_attention'], sliding_window: 8 };
  const model = opened('mistral', changes);
  expect(model.config.slidingWindow).toEqual([null, 8]);
  const folder = join(temporaryFolder(), 'gguf');
  await exportGguf(folder, { model, adapter: null, types: ['f32'], name: 'x' });
  const again = openModel(join(folder, ggufFileName('x', 'f32')));
  expect(again.config.slidingWindow).toEqual([null, 8]);
  again.close();
  expect(opened('mistral', { ...changes, layer_types: null }).config.slidingWindow).toEqual([8, 8]);
  expect(() => opened('mistral', { ...changes, layer_types: ['full_attention'] })).toThrow(/layer_types/);
});

test('Gemma 3', () => {
  const changes = { layer_types: null, sliding_window: 8 };
  const windows = (pattern: object) => opened('gemma3-mixed', { ...changes, ...pattern }).config.slidingWindow;
  expect(windows({ sliding_window_pattern: 2, _sliding_window_pattern: 6 })).toEqual([8, null, 8]);
  expect(windows({ _sliding_window_pattern: 3 })).toEqual([8, 8, null]);
});
