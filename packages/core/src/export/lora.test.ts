import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { openSafetensors } from '@anneal/formats/safetensors/read';
import { expect, test } from 'vitest';
import { adapterGoldenPath, goldenModel, goldenPath, temporaryFolder } from '../../test/fixtures.ts';
import { tensorsOf, withChanged } from '../../test/tamper.ts';
import { loadLoraWeights } from '../models/adapters/loadLora.ts';
import type { LoraWeights } from '../models/adapters/loraWeights.ts';
import type { ModelTensor } from '../models/model.ts';
import { baseForPeft, exportLora } from './lora.ts';

const weights = (length: number, first: number) => Float32Array.from({ length }, (_, i) => first + i / 64);
const options = { dropout: 0.1, baseModel: 'org/base', revision: 'abc' };

test.each([
  ['LoRA', 'qwen3', join(goldenPath('qwen3'), 'adapter')],
  ['DoRA', 'llama3', join(adapterGoldenPath('dora'), 'adapter')],
])("%s: names, shapes and weights are those of PEFT's own file", async (kind, base, path) => {
  const model = goldenModel(base);
  const adapter = await loadLoraWeights(path, model);
  const folder = join(temporaryFolder(), 'adapter');
  await exportLora(folder, { model, adapter, ...options });
  const config = JSON.parse(readFileSync(join(folder, 'adapter_config.json'), 'utf8'));
  expect(config.use_dora).toBe(kind === 'DoRA');
  const theirs = openSafetensors(join(path, 'adapter_model.safetensors'));
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
    dora: false,
    loraBias: false,
    quantizedBase: false,
    full: new Map(),
    tokens: null,
    modules: new Map([
      ['layers.0.q', { A: weights(2 * 32, 1), B: weights(32 * 2, 2) }],
      ['layers.1.down', { A: weights(4 * 64, 3), B: weights(32 * 4, 4), rank: 4, alpha: 9 }],
    ]),
  };
  const folder = join(temporaryFolder(), 'adapter');
  await exportLora(folder, { model, adapter, ...options });
  expect(await loadLoraWeights(folder, model)).toEqual(adapter);
});

test('an adapter of another base is refused with the difference', async () => {
  const path = join(goldenPath('qwen3'), 'adapter');
  await expect(loadLoraWeights(path, goldenModel('llama3'))).rejects.toThrow(
    /made for another base model than .*\[32,32\]/,
  );
});

test('adapters on embedding and output layer: what their folder may say', async () => {
  const model = goldenModel('llama3');
  const saved = adapterGoldenPath('lora-head-embed');
  const folderWith = (changes: object): string => {
    const folder = join(temporaryFolder(), 'adapter');
    cpSync(join(saved, 'adapter'), folder, { recursive: true });
    const path = join(folder, 'adapter_config.json');
    writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...changes }));
    return folder;
  };
  expect([...(await loadLoraWeights(folderWith({}), model)).modules.keys()]).toEqual(
    expect.arrayContaining(['embed', 'lm_head']),
  );
  await expect(loadLoraWeights(folderWith({ init_lora_weights: 'pissa' }), model)).rejects.toThrow('init_lora_weights');
  await expect(loadLoraWeights(folderWith({ use_dora: true }), model)).rejects.toThrow('use_dora');
  const tied = { ...model, config: { ...model.config, tieWordEmbeddings: true } };
  await expect(loadLoraWeights(folderWith({ ensure_weight_tying: true }), tied)).rejects.toThrow('ensure_weight_tying');
  const other = goldenModel('mistral');
  await expect(loadLoraWeights(folderWith({}), other)).rejects.toThrow('has other values than the adapter keeps of it');
});

test('base weights that an adapter keeps in float16 are those of a base in float32, small ones too', async () => {
  const model = goldenModel('llama3');
  const load = (inBase: number): Promise<LoraWeights> => {
    const embed = model.tensors.get('embed') as ModelTensor;
    const tensors = new Map(model.tensors).set('embed', { ...embed, float32: () => embed.float32().with(0, inBase) });
    const file = 'adapter/adapter_model.safetensors';
    const saved = adapterGoldenPath('lora-head-embed');
    const kept = tensorsOf(join(saved, file)).find(({ name }) => name.endsWith('embed_tokens.base_layer.weight'));
    return withChanged(
      saved,
      join(temporaryFolder(), 'copy'),
      file,
      (bytes) => void bytes.writeFloatLE(2 ** -24, kept?.start),
      (copy) => loadLoraWeights(join(copy, 'adapter'), { ...model, tensors }),
    );
  };
  expect((await load(0.7 * 2 ** -24)).modules.has('embed')).toBe(true);
  await expect(load(3 * 2 ** -24)).rejects.toThrow('has other values than the adapter keeps of it');
});

test('what is there already is left alone', async () => {
  const model = goldenModel('llama3');
  const adapter = await loadLoraWeights(join(goldenPath('llama3'), 'adapter'), model);
  const folder = join(temporaryFolder(), 'adapter');
  mkdirSync(folder);
  writeFileSync(join(folder, 'notes.txt'), 'mine');
  await expect(exportLora(folder, { model, adapter, ...options })).rejects.toThrow('something is there already');
  expect(readdirSync(folder)).toEqual(['notes.txt']);
  expect(existsSync(`${folder}.partial`)).toBe(false);
});

test('the base is called as PEFT finds it, or a warning says that it cannot', () => {
  const folder = temporaryFolder();
  expect(baseForPeft(relative('.', folder))).toEqual({ name: folder, warning: null });
  expect(baseForPeft('smollm2-135m')).toEqual({ name: 'HuggingFaceTB/SmolLM2-135M-Instruct', warning: null });
  expect(baseForPeft('org/base')).toEqual({ name: 'org/base', warning: null });
  for (const name of ['smollm2-135m-gguf', 'org/base/file.gguf', '/somewhere/model.gguf']) {
    expect(baseForPeft(name)).toEqual({ name, warning: expect.stringContaining('set base_model_name_or_path') });
  }
});
