import { join } from 'node:path';
import { expect, test } from 'vitest';
import { adapterGoldenPath, goldenModel, goldenPath } from '../../../test/fixtures.ts';
import { loadLoraWeights } from './loadLora.ts';
import { moduleScale } from './loraWeights.ts';
import { scaledAdapter } from './scaled.ts';

test('every module has so much of its scale, also one with an alpha of its own', async () => {
  const read = await loadLoraWeights(join(goldenPath('qwen3'), 'adapter'), goldenModel('qwen3'));
  const [[own, module] = []] = read.modules;
  if (own === undefined || module === undefined) throw new Error('an adapter without modules');
  const adapter = { ...read, modules: new Map(read.modules).set(own, { ...module, alpha: 3 * read.alpha }) };
  const scaled = scaledAdapter(adapter, 0.25, 'folder');
  for (const [name, each] of adapter.modules) {
    const after = scaled.modules.get(name) as typeof each;
    expect(moduleScale(scaled, after)).toBe(0.25 * moduleScale(adapter, each));
    expect([after.A, after.B]).toEqual([each.A, each.B]);
  }
  expect(scaledAdapter(adapter, 1, 'folder')).toBe(adapter);
});

test.each([
  ['dora', 'llama3', 'magnitudes of DoRA'],
  ['modules-to-save', 'llama3', 'tensors trained in full'],
])('%s has none', async (name, base, what) => {
  const adapter = await loadLoraWeights(join(adapterGoldenPath(name), 'adapter'), goldenModel(base));
  expect(() => scaledAdapter(adapter, 0.5, 'folder')).toThrow(
    expect.objectContaining({ code: 'adapter_without_scale', what: expect.stringContaining(what) }),
  );
});
