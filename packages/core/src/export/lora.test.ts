import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { expect, test } from 'vitest';
import { goldenModel, goldenPath, temporaryFolder } from '../../test/fixtures.ts';
import { type LoraWeights, loadLoraWeights } from '../models/adapters/loraWeights.ts';
import { exportLora } from './lora.ts';

const weights = (length: number, first: number) => Float32Array.from({ length }, (_, i) => first + i / 64);
const options = { dropout: 0.1, baseModel: 'org/base', revision: 'abc' };

test("names, shapes and weights are those of PEFT's own file", async () => {
  const model = goldenModel('qwen3');
  const adapter = loadLoraWeights(join(goldenPath('qwen3'), 'adapter'), model);
  const folder = join(temporaryFolder(), 'adapter');
  await exportLora(folder, { model, adapter, ...options });
  const theirs = openSafetensors(join(goldenPath('qwen3'), 'adapter', 'adapter_model.safetensors'));
  const ours = openSafetensors(join(folder, 'adapter_model.safetensors'));
  expect([...ours.tensors.keys()].toSorted()).toEqual([...theirs.tensors.keys()].toSorted());
  for (const name of theirs.tensors.keys()) {
    expect(ours.tensors.get(name)?.shape).toEqual(theirs.tensors.get(name)?.shape);
    expect(ours.float32(name)).toEqual(theirs.float32(name));
  }
});

test('rsLoRA, ranks of their own and a part of the layers come back as they went', async () => {
  const model = goldenModel('llama3');
  const adapter: LoraWeights = {
    r: 2,
    alpha: 3,
    rslora: true,
    modules: new Map([
      ['layers.0.q', { A: weights(2 * 32, 1), B: weights(32 * 2, 2) }],
      ['layers.1.down', { A: weights(4 * 64, 3), B: weights(32 * 4, 4), rank: 4, alpha: 9 }],
    ]),
  };
  const folder = join(temporaryFolder(), 'adapter');
  await exportLora(folder, { model, adapter, ...options });
  expect(loadLoraWeights(folder, model)).toEqual(adapter);
});

test('an adapter of another base is refused with the difference', () => {
  const path = join(goldenPath('qwen3'), 'adapter');
  expect(() => loadLoraWeights(path, goldenModel('llama3'))).toThrow(/made for another base model than .*\[32,32\]/);
});

test('what is there already is left alone', async () => {
  const model = goldenModel('llama3');
  const adapter = loadLoraWeights(join(goldenPath('llama3'), 'adapter'), model);
  const folder = join(temporaryFolder(), 'adapter');
  mkdirSync(folder);
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  await expect(exportLora(folder, { model, adapter, ...options })).rejects.toThrow('something is there already');
  expect(readdirSync(folder)).toEqual(['notes.txt']);
  expect(existsSync(`${folder}.partial`)).toBe(false);
});
